/**
 * How the second end is brought in, and what the comparison is good for.
 * @module
 */
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { linkCaution } from '../../session/invitation.js';
import { strings } from '../../strings.js';
import { copyButton } from '../frame.js';

/** @import {Invitation} from '../../types.js' */

/** @typedef {typeof import('../../strings/en/compare.js').default} CompareStrings */

/** @param {CompareStrings} t @param {string} pair @param {Invitation} invitation @param {() => void} openInside */
export function pairCard(t, pair, invitation, openInside) {
  const link = `${invitation.origin ?? location.origin}/compare#${pair}`;
  const caution = linkCaution(invitation, location.hostname);
  const copy = copyButton({ label: t.pair.copy, done: t.pair.copied, failed: t.results.copyFailed, testid: 'compare-copy', text: () => link, mark: icon('link'), primary: true });
  return h(
    'section',
    { class: 'card', data: { testid: 'compare-pair' } },
    h('h2', {}, t.pair.title),
    h('p', { class: 'hint' }, t.pair.hint),
    h('p', { class: 'link-text', data: { testid: 'compare-link' } }, link),
    caution && h('p', { class: 'hint' }, strings.room.caution[caution]),
    h('div', { class: 'compare-buttons' }, copy),
    h('hr', {}),
    h('div', {}, h('button', { type: 'button', class: 'button', 'aria-describedby': 'compare-alone-hint', data: { testid: 'compare-alone' }, on: { click: openInside } }, t.pair.alone)),
    h('p', { class: 'hint', id: 'compare-alone-hint' }, t.pair.aloneHint),
  );
}

/** @param {CompareStrings} t */
export function meaning(t) {
  const { title, socket, channel, loose } = t.meaning;
  return h('section', { class: 'compare-meaning' }, h('h2', {}, title), ...[socket, channel, loose].map((words) => h('p', {}, words)));
}
