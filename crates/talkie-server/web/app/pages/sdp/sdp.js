/**
 * `/sdp`: an SDP explained line by line, changed, and compared with the one that answers it. Nothing
 * leaves the browser.
 * @module
 */
import { section } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { tabs } from '../../ui/tabs.js';
import { loadSheets, pageFrame } from '../frame.js';
import { compareView } from './compare-view.js';
import { editView } from './edit-view.js';
import { explainedView } from './explained-view.js';
import { guessType } from './input.js';
import { inputView } from './input-view.js';
import { openCallsView } from './open-calls.js';
import { parse } from './parse.js';

/** @import {Description} from './parse.js' */
/** @import {Type} from './problems.js' */
/** @typedef {{type: Type, sdp: string, description: Description}} Read */

const [words, lineWords] = await Promise.all([section('sdp'), section('sdpLines'), loadSheets('sdp')]);
export const title = words.title;

/** @param {{home: () => void}} app */
export function view({ home }) {
  const cleanup = new Cleanup();
  /** @type {Read[]} */
  let read = [];
  let chosen = 0;
  let shown = 'explained';
  const explained = explainedView(words, lineWords);
  const edit = editView(words);
  const compare = compareView(words);

  /** Only what is on show is drawn: an SDP can be long. */
  const draw = () => {
    const one = read[chosen] ?? null;
    if (shown === 'explained') explained.show(one);
    if (shown === 'edit') edit.show(one);
    if (shown === 'compare') compare.show(read);
  };
  const result = h('section', { class: 'page-section', hidden: true, 'aria-label': words.result, data: { testid: 'sdp-result' } });
  const choice = choiceOf((at) => ((chosen = at), draw()));
  const panels = [
    { name: 'explained', title: words.explained, panel: explained.element },
    { name: 'edit', title: words.edit, panel: edit.element },
    { name: 'compare', title: words.compare, panel: compare.element },
  ];
  const list = tabs(panels, { label: words.views, shown: (name) => ((shown = name), draw()) });
  result.append(h('div', { class: 'tabs-row' }, list, choice.element), ...panels.map(({ panel }) => panel));

  const input = inputView(words, (pasted) => {
    read = pasted.map(({ type, sdp }) => ({ type: type ?? guessType(sdp), sdp, description: parse(sdp) }));
    if (chosen >= read.length) chosen = 0;
    result.hidden = read.length === 0;
    choice.show(read, chosen);
    draw();
  });
  cleanup.add(input.dispose);
  const calls = openCallsView(words, (pair) => input.set(pair));
  cleanup.add(calls.dispose);
  const element = pageFrame({ title: words.title, lead: words.lead, testid: 'sdp', home }, input.element, calls.element, result);
  return { element, dispose: () => cleanup.run() };
}

/** Which of two descriptions is explained or changed. @param {(at: number) => void} changed */
function choiceOf(changed) {
  const element = h('div', { class: 'choice', role: 'radiogroup', 'aria-label': words.which, hidden: true });
  return {
    element,
    /** @param {Read[]} read @param {number} chosen */
    show(read, chosen) {
      element.hidden = read.length < 2;
      element.replaceChildren(
        ...read.map(({ type }, at) => {
          const radio = h('input', { type: 'radio', name: 'sdp-which', data: { testid: `which-${at}` }, on: { change: () => changed(at) } });
          radio.checked = at === chosen;
          return h('label', {}, radio, h('span', {}, type ? words.types[type] : at === 0 ? words.first : words.second));
        }),
      );
    },
  };
}
