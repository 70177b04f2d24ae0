/**
 * The description with a sentence beside each line, by media section, and what is wrong with it on top.
 * @module
 */
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { explainer, reference } from './explain.js';
import { attributes, directionOf, isRejected, isRtp, midOf } from './parse.js';
import { problemsOf } from './problems.js';
import { codecsOf, isCompanion } from './codecs.js';

/** @import {Words as LineWords} from './explain.js' */
/** @import {Words} from './input-view.js' */
/** @import {Description, Line, Section} from './parse.js' */
/** @import {Problem} from './problems.js' */
/** @import {Read} from './sdp.js' */

/** More lines than this are not drawn; a browser's longest have some hundreds. */
const MAX_ROWS = 3000;
const MAX_GROUPS = 200;
const MAX_SHOWN = 1000;

/** @param {Words} words @param {LineWords} lineWords */
export function explainedView(words, lineWords) {
  const element = h('div', { class: 'tab-panel', data: { testid: 'sdp-explained' } });
  return {
    element,
    /** @param {Read|null} read */
    show(read) {
      if (!read) return element.replaceChildren();
      const { description, type } = read;
      const problems = problemsOf(description, type);
      element.replaceChildren(
        h('p', { class: 'summary-line', role: 'status', data: { testid: 'sdp-summary' } }, summary(words, read, problems)),
        problemList(words, problems, element),
        ...groups(words, lineWords, description, problems),
      );
    },
  };
}

/** @param {Words} words @param {Read} read @param {Problem[]} problems */
function summary(words, { description, type }, problems) {
  const { sections, session, lines } = description;
  const firefox = session.some(({ type: t, value }) => t === 'o' && value.startsWith('mozilla'));
  const candidates = attributes(lines, 'candidate').length;
  const bad = problems.filter(({ severity }) => severity === 'bad').length;
  return words.summary(type ? words.types[type] : words.description, firefox ? 'Firefox' : null, lines.length, sections.length, candidates, bad);
}

/** @param {Words} words @param {Problem[]} problems @param {HTMLElement} place */
function problemList(words, problems, place) {
  if (problems.length === 0) return h('p', { class: 'good', data: { testid: 'sdp-problems', count: '0' } }, icon('check'), h('span', {}, words.noProblems));
  const rows = problems.map(({ code, line, values, severity }) =>
    h(
      'li',
      { class: 'finding', data: { severity, code } },
      icon(severity === 'bad' ? 'warning' : 'check'),
      h('span', {}, `${severity === 'bad' ? '' : words.note}${problemText(words, code, values ?? [])}`),
      line !== null && h('button', { type: 'button', class: 'button quiet small', data: { testid: 'sdp-line-link' }, on: { click: () => goTo(place, line) } }, words.line(line)),
    ),
  );
  return h('ul', { class: 'findings', data: { testid: 'sdp-problems', count: String(problems.length) } }, ...rows);
}

/** @param {Words} words @param {string} code @param {string[]} values */
function problemText(words, code, values) {
  const text = /** @type {string|((...values: string[]) => string)|undefined} */ (words.problems[/** @type {keyof Words['problems']} */ (code)]);
  return typeof text === 'function' ? text(...values.map(short)) : text ?? code;
}

/** @param {string} text */
const short = (text) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** @param {HTMLElement} place @param {number} line */
function goTo(place, line) {
  const row = /** @type {HTMLElement|null} */ (place.querySelector(`[data-line="${line}"]`));
  const group = row?.closest('details');
  if (group) group.open = true;
  row?.scrollIntoView({ block: 'center' });
  row?.focus();
}

/** @param {Words} words @param {LineWords} lineWords @param {Description} description @param {Problem[]} problems */
function groups(words, lineWords, description, problems) {
  const explain = explainer(description, lineWords);
  const marked = new Map(problems.filter(({ severity, line }) => severity === 'bad' && line !== null).map((problem) => [problem.line, problem]));
  let room = MAX_ROWS;
  /** @param {string} title @param {string} detail @param {Line[]} lines @param {boolean} open */
  const group = (title, detail, lines, open) => {
    const drawn = lines.slice(0, room);
    room -= drawn.length;
    const rows = drawn.map((line) => row(words, line, explain(line), marked.has(line.number)));
    const rest = lines.length - drawn.length;
    return h(
      'details',
      { class: 'sdp-group', open, data: { testid: 'sdp-group' } },
      h('summary', {}, h('strong', {}, title), h('span', { class: 'hint' }, detail)),
      h('ol', { class: 'sdp-lines' }, ...rows),
      rest > 0 && h('p', { class: 'hint' }, words.moreLines(rest)),
    );
  };
  return [
    ...(description.session.length ? [group(words.session, words.sessionHint, description.session, true)] : []),
    ...description.sections.slice(0, MAX_GROUPS).map((section) => group(sectionTitle(words, section), sectionDetail(words, description, section), section.lines, description.sections.length <= 12)),
    ...(description.sections.length > MAX_GROUPS ? [h('p', { class: 'hint' }, words.moreSections(description.sections.length - MAX_GROUPS))] : []),
  ];
}

/** @param {Words} words @param {Section} section */
export function sectionTitle(words, section) {
  const kind = words.kinds[/** @type {keyof Words['kinds']} */ (section.kind)] ?? section.kind;
  return words.sectionTitle(kind, midOf(section));
}

/** @param {Words} words @param {Description} description @param {Section} section */
function sectionDetail(words, description, section) {
  if (isRejected(section)) return words.refused;
  if (!isRtp(section)) return words.dataChannels;
  const codecs = new Set(codecsOf(section).filter((codec) => codec.name && !isCompanion(codec)).map(({ name }) => name));
  return [words.directions[directionOf(description, section)], [...codecs].join(', ')].filter(Boolean).join(' · ');
}

/** @param {Words} words @param {Line} line @param {ReturnType<ReturnType<typeof explainer>>} explanation @param {boolean} bad */
function row(words, { number, raw }, { text, source, known }, bad) {
  const link = source && reference(source);
  return h(
    'li',
    { class: 'sdp-line', tabindex: '-1', data: { line: String(number), known: String(known), ...(bad && { bad: 'true' }) } },
    h('span', { class: 'sdp-number', 'aria-label': words.line(number) }, String(number)),
    h('code', { class: 'sdp-code', dir: 'ltr' }, raw.length > MAX_SHOWN ? `${raw.slice(0, MAX_SHOWN)}…` : raw),
    h('p', { class: 'sdp-text' }, text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text, ' ', link && h('a', { class: 'source', href: link.href, target: '_blank', rel: 'noopener noreferrer' }, link.text)),
  );
}
