/**
 * Two people compare their safety number, and say whether it is the same.
 * @module
 */
import { patchPeer } from '../../state.js';
import { strings } from '../../strings.js';
import { showDialog } from '../../ui/dialog.js';
import { h } from '../../ui/dom.js';

/** @import {AppStore} from '../../state.js' */
/** @import {PeerView} from '../../types.js' */

/** @param {AppStore} store @param {string} key of the peer */
export function showSafetyNumber(store, key) {
  const peerOf = () => store.get().peers.find((one) => one.key === key);
  const first = peerOf();
  if (!first) return;
  const t = strings.trust;
  const number = h('p', { class: 'safety-number', data: { testid: 'safety-number' } });
  const words = h('p', { class: 'safety-words', role: 'status', data: { testid: 'safety-words' } });
  const same = button(t.same, 'primary', 'safety-same', () => mark(store, key, { verified: true, doubted: false }));
  const different = button(t.different, '', 'safety-different', () => mark(store, key, { verified: false, doubted: true }));
  const undo = button(t.undo, 'quiet', 'safety-undo', () => mark(store, key, { verified: false, doubted: false }));
  /** @param {PeerView|undefined} peer */
  const draw = (peer) => {
    // Whoever left takes the number along.
    if (!peer) return shown?.close();
    drawNumber(number, peer.safety);
    const undecided = peer.safety !== null && !peer.verified && !peer.doubted;
    const focused = document.activeElement;
    for (const one of [same, different]) one.hidden = !undecided;
    undo.hidden = peer.safety === null || undecided;
    words.dataset.trust = peer.verified ? 'verified' : peer.doubted ? 'doubted' : '';
    words.textContent = wordsOf(peer);
    if (focused === same || focused === different) undo.focus();
    if (focused === undo && undecided) same.focus();
  };
  /** @type {ReturnType<typeof showDialog>|null} */
  let shown = null;
  const stop = store.subscribe((s) => s.peers.find((one) => one.key === key), draw);
  shown = showDialog(
    { title: t.compareTitle(first.name), testid: 'safety', closed: () => stop() },
    number,
    words,
    h('div', { class: 'buttons wide' }, different, same, undo),
  );
}

/** @param {PeerView} peer */
function wordsOf({ name, safety, verified, doubted }) {
  const t = strings.trust;
  if (safety === null) return t.noNumber;
  if (verified) return t.verified;
  return doubted ? t.differentAdvice(name) : t.compareHow(name);
}

/** @param {HTMLElement} element @param {string|null} safety */
function drawNumber(element, safety) {
  const groups = safety?.split(' ') ?? [];
  if (element.textContent === groups.join('')) return;
  // Read out digit by digit, as one would over the phone.
  element.replaceChildren(...groups.map((group) => h('span', { 'aria-label': [...group].join(' '), role: 'text' }, group)));
  element.hidden = groups.length === 0;
}

/** @param {AppStore} store @param {string} key @param {Pick<PeerView, 'verified'|'doubted'>} said */
const mark = (store, key, said) => patchPeer(store, key, said);

/** @param {string} label @param {string} style @param {string} testid @param {() => void} press */
function button(label, style, testid, press) {
  return h('button', { type: 'button', class: `button ${style}`, data: { testid }, on: { click: press } }, label);
}
