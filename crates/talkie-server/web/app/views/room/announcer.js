/**
 * Says to screen readers what others see happen: who came and went, raised a hand, reacted, records.
 * That somebody records is also shown to everybody in so many words.
 * @module
 */
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {PeerView} from '../../types.js' */

/** Reactions come in bursts: one sentence for what came together. */
const TOGETHER_MS = 1200;

/** @param {AppStore} store @param {Cleanup} cleanup */
export function announcer(store, cleanup) {
  const element = h('p', { class: 'visually-hidden', role: 'status', data: { testid: 'announcer' } });
  /** @type {string[]} */
  let waiting = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const speak = () => {
    element.textContent = waiting.slice(-4).join('. ');
    waiting = [];
    timer = undefined;
  };
  /** @param {readonly string[]} words */
  const say = (words) => {
    if (words.length === 0) return;
    waiting = [...waiting, ...words];
    timer ??= setTimeout(speak, TOGETHER_MS);
  };
  cleanup.add(() => clearTimeout(timer));
  // Who was there before the page was drawn (anew, in another language) did not come just now.
  let before = store.get().peers;
  cleanup.add(
    store.subscribe((s) => s.peers, (peers) => {
      say(comings(before, peers));
      say(hands(before, peers));
      for (const words of recordings(before, peers)) toast(store, 'info', words);
      before = peers;
    }),
  );
  let last = 0;
  cleanup.add(
    store.subscribe((s) => s.reactions, (reactions) => {
      const fresh = reactions.filter((one) => one.id > last && one.peer !== 'self');
      last = Math.max(last, ...reactions.map((one) => one.id));
      say(fresh.map((one) => strings.room.reacted(one.name || strings.room.guest, one.emoji)));
    }),
  );
  return element;
}

const nameOf = (/** @type {PeerView} */ peer) => peer.name || strings.room.guest;

/** @param {readonly PeerView[]} before @param {readonly PeerView[]} now */
function comings(before, now) {
  const there = (/** @type {readonly PeerView[]} */ list, /** @type {PeerView} */ peer) => list.some((one) => one.key === peer.key);
  return [
    ...now.filter((peer) => !there(before, peer)).map((peer) => strings.room.joined(nameOf(peer))),
    ...before.filter((peer) => !there(now, peer)).map((peer) => strings.room.went(nameOf(peer))),
  ];
}

/** @param {readonly PeerView[]} before @param {readonly PeerView[]} now */
function hands(before, now) {
  return now.filter((peer) => peer.hand !== null && (before.find((one) => one.key === peer.key)?.hand ?? null) === null).map((peer) => strings.room.handUp(nameOf(peer)));
}

/** @param {readonly PeerView[]} before @param {readonly PeerView[]} now @returns {string[]} a toast is read out, too */
function recordings(before, now) {
  return now.flatMap((peer) => {
    const recorded = before.find((one) => one.key === peer.key)?.recording ?? false;
    if (recorded === peer.recording) return [];
    return [peer.recording ? strings.room.records(nameOf(peer)) : strings.room.recordsNoMore(nameOf(peer))];
  });
}
