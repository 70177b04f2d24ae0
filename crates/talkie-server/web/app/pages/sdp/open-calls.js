/**
 * The offers and answers of calls that are open in other tabs of this browser. Asks over a
 * BroadcastChannel, which reaches pages of this origin only; what comes is judged all the same.
 * @module
 */
import { cleanName } from '../../names.js';
import { h } from '../../ui/dom.js';
import { knownType } from './input.js';
import { MAX_CHARACTERS } from './parse.js';

/** @import {Pasted} from './input.js' */
/** @import {Words} from './input-view.js' */
/** @typedef {{name: string, descriptions: Pasted[]}} OpenCall */

const CHANNEL = 'talkie-sdp';
const MAX_PEERS = 32;

/** @param {Words} words @param {(pair: Pasted[]) => void} chosen */
export function openCallsView(words, chosen) {
  const list = h('div', { class: 'button-row' });
  const state = h('p', { class: 'hint', role: 'status', data: { testid: 'sdp-calls-state' } }, words.noCalls);
  const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(CHANNEL) : null;
  /** @type {OpenCall[]} */
  let calls = [];
  const ask = () => {
    calls = [];
    show();
    channel?.postMessage({ type: 'ask' });
  };
  const show = () => {
    state.textContent = calls.length ? words.callsFound(calls.length) : words.noCalls;
    list.replaceChildren(
      h('button', { type: 'button', class: 'button small', data: { testid: 'sdp-ask' }, on: { click: ask } }, words.ask),
      ...calls.map(({ name, descriptions }) =>
        h('button', { type: 'button', class: 'button small', dir: 'auto', data: { testid: 'sdp-peer' }, on: { click: () => chosen(descriptions) } }, words.callWith(name || words.nameless)),
      ),
    );
  };
  if (channel) {
    channel.onmessage = ({ data }) => {
      // Several tabs may answer.
      calls = [...calls, ...readAnswer(data)].slice(0, MAX_PEERS);
      show();
    };
  }
  ask();
  const element = h('section', { class: 'page-section open-calls', 'aria-label': words.calls, data: { testid: 'sdp-calls' } }, h('h2', {}, words.calls), state, list);
  return { element, dispose: () => channel?.close() };
}

/** @param {unknown} message @returns {OpenCall[]} */
export function readAnswer(message) {
  if (typeof message !== 'object' || message === null) return [];
  const { type, peers } = /** @type {{type?: unknown, peers?: unknown}} */ (message);
  if (type !== 'descriptions' || !Array.isArray(peers)) return [];
  return peers.slice(0, MAX_PEERS).flatMap((peer) => {
    const both = [readDescription(peer?.local), readDescription(peer?.remote)].filter((one) => one !== null);
    // The offer first, whoever made it.
    both.sort((a, b) => Number(a.type === 'answer') - Number(b.type === 'answer'));
    return both.length ? [{ name: cleanName(peer?.name), descriptions: both }] : [];
  });
}

/** @param {unknown} value @returns {Pasted|null} */
function readDescription(value) {
  if (typeof value !== 'object' || value === null) return null;
  const { type, sdp } = /** @type {{type?: unknown, sdp?: unknown}} */ (value);
  return typeof sdp === 'string' && sdp.length <= MAX_CHARACTERS ? { type: knownType(type), sdp } : null;
}
