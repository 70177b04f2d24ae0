/**
 * Offer and answer side by side: what came of it.
 * @module
 */
import { locale } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { negotiate } from './compare.js';
import { midOf } from './parse.js';

/** @import {Agreed, Mismatch} from './compare.js' */
/** @import {Words} from './input-view.js' */
/** @import {Read} from './sdp.js' */

const MAX_SECTIONS = 60;
const MAX_MISFITS = 60;

/** @param {Words} words */
export function compareView(words) {
  const element = h('div', { class: 'tab-panel', data: { testid: 'sdp-compare' } });
  return {
    element,
    /** @param {Read[]} read */
    show(read) {
      const [a, b] = read;
      if (!a || !b) return element.replaceChildren(h('p', { class: 'hint' }, words.compareHint));
      const [offer, answer] = a.type === 'answer' && b.type !== 'answer' ? [b, a] : [a, b];
      const { sections, mismatches } = negotiate(offer.description, answer.description);
      element.replaceChildren(
        fits(words, mismatches),
        ...sections.slice(0, MAX_SECTIONS).map((section) => sectionCard(words, section)),
        ...unanswered(words, offer, sections.length),
      );
    },
  };
}

/** @param {Words} words @param {Mismatch[]} mismatches */
function fits(words, mismatches) {
  const testid = { testid: 'sdp-mismatches', count: String(mismatches.length) };
  if (mismatches.length === 0) return h('p', { class: 'good', data: testid }, icon('check'), h('span', {}, words.fits));
  const rows = mismatches.slice(0, MAX_MISFITS).map(({ code, values, section }) => {
    const text = /** @type {(...values: string[]) => string} */ (words.mismatches[/** @type {keyof Words['mismatches']} */ (code)]);
    return h('li', { class: 'finding', data: { severity: 'bad', code } }, icon('warning'), h('span', {}, `${section === null ? '' : words.inSection(section + 1)} ${text(...values)}`));
  });
  return h('ul', { class: 'findings', data: testid }, ...rows);
}

/** @param {Words} words @param {Agreed} agreed */
function sectionCard(words, agreed) {
  const kind = words.kinds[/** @type {keyof Words['kinds']} */ (agreed.kind)] ?? agreed.kind;
  return h(
    'section',
    { class: 'card compare-card', data: { testid: 'sdp-agreed', mid: agreed.mid } },
    h('h2', {}, words.sectionTitle(kind, agreed.mid || null)),
    agreed.rejected ? h('p', {}, words.refused) : h('dl', { class: 'facts-list' }, ...facts(words, agreed).flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)])),
  );
}

/** @param {Words} words @param {Agreed} agreed @returns {[string, string][]} */
function facts(words, { offerer, codecs, dropped, extensions, dtlsClient, bundled, messages, kind }) {
  const media = kind === 'audio' || kind === 'video';
  const flow = offerer.sends ? (offerer.receives ? 'both' : 'offerer') : offerer.receives ? 'answerer' : 'nobody';
  const sizes = messages.map((size) => (size === null ? '–' : size.toLocaleString(locale())));
  /** @type {[string, string|null][]} */
  const all = [
    [words.agreed.flow, media ? words.flows[flow] : null],
    [words.agreed.codecs, codecs.length ? codecs.map(({ name, payload, answered }) => `${name} (${payload === answered ? payload : `${payload} → ${answered}`})`).join(', ') : media ? words.nothingInCommon : null],
    [words.agreed.dropped, dropped.length ? dropped.join(', ') : null],
    [words.agreed.extensions, extensions.length ? words.extensions(extensions.length) : null],
    [words.agreed.dtls, dtlsClient ? words.dtls[dtlsClient] : words.unknown],
    [words.agreed.transport, bundled ? words.shared : words.ownTransport],
    [words.agreed.messages, media ? null : words.sizes(sizes[0] ?? '–', sizes[1] ?? '–')],
  ];
  return all.filter(/** @returns {pair is [string, string]} */ (pair) => pair[1] !== null);
}

/** @param {Words} words @param {Read} offer @param {number} answered */
function unanswered(words, { description }, answered) {
  return description.sections.slice(answered, answered + MAX_SECTIONS).map((section) => h('p', { class: 'hint' }, `${words.sectionTitle(section.kind, midOf(section))}: ${words.unanswered}`));
}
