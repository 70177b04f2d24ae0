/**
 * Where descriptions come in: typed, pasted, dropped as a file, or an offer made by this browser. Tells
 * what it reads as soon as the typing pauses.
 * @module
 */
import { h } from '../../ui/dom.js';
import { readPasted } from './input.js';
import { MAX_CHARACTERS } from './parse.js';

/** @import {Pasted} from './input.js' */
/** @typedef {typeof import('../../strings/en/sdp.js').default} Words */

const PAUSE_MS = 200;

/**
 * @param {Words} words
 * @param {(pasted: Pasted[]) => void} changed at most two
 */
export function inputView(words, changed) {
  const fields = [field(words, 'sdp-input', words.first, words.placeholder), field(words, 'sdp-other', words.second, words.otherPlaceholder)];
  const [first, second] = /** @type {[ReturnType<typeof field>, ReturnType<typeof field>]} */ (fields);
  /** What the typed text of a field was given as, where that is known. @type {Map<string, Pasted['type']>} */
  const types = new Map();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const read = () => {
    clearTimeout(timer);
    const parts = fields.map(({ error, textOf }) => {
      const { pasted, fault } = readPasted(textOf());
      error.textContent = fault ? words.faults[fault] : '';
      return pasted;
    });
    const [ours = [], theirs = []] = parts;
    // Two in the first field fill the second, unless somebody has put another one there.
    const all = [...ours.slice(0, theirs.length ? 1 : 2), ...theirs.slice(0, 1)];
    changed(all.map((one) => ({ ...one, type: one.type ?? types.get(one.sdp) ?? null })));
  };
  for (const { input } of fields) {
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(read, PAUSE_MS);
    });
  }
  /** @param {Pasted[]} pasted */
  const set = (pasted) => {
    types.clear();
    for (const { sdp, type } of pasted) types.set(sdp, type);
    first.fill(pasted[0]?.sdp ?? '');
    second.fill(pasted[1]?.sdp ?? '');
    second.details.open = pasted.length > 1;
    read();
  };
  const element = h(
    'section',
    { class: 'card page-section', 'aria-label': words.input },
    first.element,
    second.details,
    buttons(words, first.fill, read, set),
  );
  acceptFiles(element, first, words, read);
  return { element, set, dispose: () => clearTimeout(timer) };
}

/** @param {Words} words @param {string} testid @param {string} label @param {string} placeholder */
function field(words, testid, label, placeholder) {
  const input = h('textarea', { id: testid, class: 'input code-input', rows: 8, placeholder, spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off', dir: 'ltr', 'aria-describedby': `${testid}-error`, data: { testid } });
  const error = h('p', { id: `${testid}-error`, class: 'field-error', role: 'alert', data: { testid: `${testid}-error` } });
  const element = h('div', { class: 'field-column' }, h('label', { for: testid }, label), input, error);
  const details = testid === 'sdp-other' ? h('details', { class: 'more' }, h('summary', { data: { testid: 'sdp-more' } }, words.addOther), element) : h('details');
  /** A textarea turns every line end into LF; what was really there is kept beside it. */
  let original = '';
  const textOf = () => (original && original.replace(/\r\n?/g, '\n') === input.value ? original : input.value.replaceAll('\n', '\r\n'));
  const fill = (/** @type {string} */ text) => {
    original = text;
    input.value = text;
  };
  input.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    // Whoever copies from a page gets LF alone; that says nothing about the SDP.
    if (text.includes('\r')) original = text;
  });
  return { element, details, input, error, textOf, fill };
}

/** @param {Words} words @param {(text: string) => void} fill @param {() => void} read @param {(pasted: Pasted[]) => void} set */
function buttons(words, fill, read, set) {
  const picker = h('input', { type: 'file', accept: '.sdp,.txt,.json,text/plain,application/sdp,application/json', hidden: true, 'aria-label': words.openFile, data: { testid: 'sdp-file' } });
  picker.addEventListener('change', async () => {
    const [file] = picker.files ?? [];
    if (file) fill(await readFile(file));
    picker.value = '';
    read();
  });
  const button = (/** @type {string} */ label, /** @type {string} */ testid, /** @type {() => void} */ click) =>
    h('button', { type: 'button', class: 'button small', data: { testid }, on: { click } }, label);
  return h(
    'div',
    { class: 'button-row' },
    button(words.openFile, 'sdp-open', () => picker.click()),
    picker,
    button(words.ownOffer, 'sdp-own', async () => set([{ type: 'offer', sdp: await ownOffer() }])),
    button(words.clear, 'sdp-clear', () => set([])),
  );
}

/** @param {Blob} file */
function readFile(file) {
  // One more than is read, so that what is too long is said to be.
  return file.slice(0, MAX_CHARACTERS * 2 + 1).text();
}

/** @param {HTMLElement} place @param {{fill: (text: string) => void, error: HTMLElement}} field @param {Words} words @param {() => void} read */
function acceptFiles(place, { fill, error }, words, read) {
  place.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });
  place.addEventListener('drop', async (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    try {
      fill(await readFile(file));
      read();
    } catch {
      error.textContent = words.faults.unreadable;
    }
  });
}

/** What this browser would offer for a call with sound, pictures and a data channel. */
async function ownOffer() {
  const connection = new RTCPeerConnection();
  try {
    connection.addTransceiver('audio');
    connection.addTransceiver('video');
    connection.createDataChannel('');
    return (await connection.createOffer()).sdp ?? '';
  } finally {
    connection.close();
  }
}
