/**
 * Changing a description: codecs to leave out, directions to turn; the result as text with what is
 * different marked, to be copied.
 * @module
 */
import { h } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';
import { copyButton } from '../frame.js';
import { codecsOf, formatName, isCompanion, servedBy } from './codecs.js';
import { diff, folded } from './diff.js';
import { leavesCodec, rewrite, withCompanions } from './edit.js';
import { sectionTitle } from './explained-view.js';
import { directionOf, DIRECTIONS, isRtp } from './parse.js';

/** @import {Row} from './diff.js' */
/** @import {Change} from './edit.js' */
/** @import {Words} from './input-view.js' */
/** @import {Direction, Section} from './parse.js' */
/** @import {Read} from './sdp.js' */

const MAX_SECTIONS = 40;
const MAX_CODECS = 120;
const MAX_ROWS = 4000;

/** @param {Words} words */
export function editView(words) {
  const element = h('div', { class: 'tab-panel', data: { testid: 'sdp-edit' } });
  /** @type {Read|null} */
  let shown = null;
  return {
    element,
    /** @param {Read|null} read */
    show(read) {
      if (read === shown) return;
      shown = read;
      element.replaceChildren(...(read ? editor(words, read) : []));
    },
  };
}

/** @param {Words} words @param {Read} read */
function editor(words, read) {
  const { description } = read;
  /** @type {Map<number, Change>} */
  const changes = new Map();
  const output = h('div', { class: 'diff', role: 'region', 'aria-label': words.changed, tabindex: '0', dir: 'ltr', data: { testid: 'sdp-diff' } });
  const count = h('p', { class: 'hint', role: 'status', data: { testid: 'sdp-changes' } });
  let result = '';
  const draw = () => {
    result = rewrite(description, changes);
    const rows = diff(description.lines.map(({ raw }) => raw), result.split('\r\n').slice(0, -1));
    output.dataset.text = result;
    output.replaceChildren(...folded(rows.slice(0, MAX_ROWS)).map((one) => (one.kind === 'folded' ? fold(words, one.rows) : diffRow(words, one))));
    count.textContent = words.changes(rows.filter(({ kind }) => kind === 'removed').length, rows.filter(({ kind }) => kind === 'added').length);
  };
  const sections = description.sections.slice(0, MAX_SECTIONS).filter(isRtp).map((section) => sectionEditor(words, read, section, (change) => (changes.set(section.index, change), draw())));
  draw();
  return [
    sections.length ? h('div', { class: 'edit-sections' }, ...sections) : h('p', { class: 'hint' }, words.nothingToEdit),
    h('p', { class: 'hint' }, words.editHint),
    h(
      'div',
      { class: 'button-row' },
      copyButton({ ...words.copy, label: words.copySdp, testid: 'sdp-copy', text: () => result }),
      copyButton({ ...words.copy, label: words.copyJson, testid: 'sdp-copy-json', text: () => JSON.stringify({ type: read.type ?? 'offer', sdp: result }) }),
      count,
    ),
    output,
  ];
}

/** @param {Words} words @param {Row} row */
function diffRow(words, { kind, text }) {
  return h('div', { class: 'diff-row', data: { kind } }, h('span', { class: 'visually-hidden' }, kind === 'same' ? '' : words.diff[kind]), text || ' ');
}

/** What stays as it was, until somebody wants to see it. @param {Words} words @param {readonly Row[]} rows */
function fold(words, rows) {
  const button = h('button', { type: 'button', class: 'diff-fold', data: { testid: 'diff-fold' } }, words.unfold(rows.length));
  button.addEventListener('click', () => {
    const lines = rows.map((row) => diffRow(words, row));
    button.replaceWith(...lines);
    if (lines[0]) lines[0].tabIndex = -1;
    lines[0]?.focus();
  });
  return button;
}

/** @param {Words} words @param {Read} read @param {Section} section @param {(change: Change) => void} changed */
function sectionEditor(words, { description }, section, changed) {
  const codecs = codecsOf(section).slice(0, MAX_CODECS);
  /** @type {Set<string>} */
  const removed = new Set();
  /** @type {Direction|null} */
  let direction = null;
  /** @type {Map<string, HTMLInputElement>} */
  const boxes = new Map();
  const error = h('p', { class: 'field-error', role: 'alert', data: { testid: `edit-error-${section.index}` } });
  /** Companions follow those that they serve. */
  const follow = () => {
    const gone = withCompanions(section, removed);
    for (const [payload, box] of boxes) {
      box.disabled = gone.has(payload) && !removed.has(payload);
      box.checked = !gone.has(payload);
    }
  };
  const rows = codecs.map((codec) => {
    const box = h('input', { type: 'checkbox', data: { testid: `codec-${section.index}-${codec.payload}` } });
    boxes.set(codec.payload, box);
    box.addEventListener('change', () => {
      if (box.checked) removed.delete(codec.payload);
      else removed.add(codec.payload);
      error.textContent = '';
      if (!leavesCodec(section, withCompanions(section, removed))) {
        removed.delete(codec.payload);
        error.textContent = words.lastCodec;
      }
      follow();
      changed({ removed: new Set(removed), direction });
    });
    const partners = servedBy(codec);
    return h('label', { class: 'check-row', data: { companion: String(isCompanion(codec)) } }, box, h('span', {}, formatName(codec)), h('span', { class: 'hint' }, [codec.payload, partners.length ? words.forPayload(partners.join(', ')) : ''].filter(Boolean).join(' ')));
  });
  follow();
  const turn = selectField({
    label: words.direction, testid: `direction-${section.index}`, value: directionOf(description, section),
    choices: DIRECTIONS.map((one) => /** @type {const} */ ([one, `${one} – ${words.directions[one]}`])),
    change: (value) => ((direction = value), changed({ removed: new Set(removed), direction })),
  });
  return h('fieldset', { class: 'card edit-section' }, h('legend', {}, sectionTitle(words, section)), turn, h('div', { class: 'check-rows' }, ...rows), error);
}
