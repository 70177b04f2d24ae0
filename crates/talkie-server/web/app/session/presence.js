/**
 * Tells the others what we have switched on, whether our hand is up and whether we record; and shows
 * what they say of themselves.
 * @module
 */
import { handRaisedAt } from '../peer/messages/presence.js';
import { patchPeer } from '../state.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {PresenceMessage} from '../peer/messages/presence.js' */

export class Presence {
  /** When each peer's hand was last known to be down. @type {Map<string, number>} */ #downAt = new Map();

  on = {
    /** @param {Link} link @param {PresenceMessage} message */
    state: (link, { mic, camera, screen, held, hand, recording }) => {
      const { store } = this.context;
      const now = Date.now();
      const known = store.get().peers.find((peer) => peer.key === link.key)?.hand ?? null;
      const raisedAt = handRaisedAt(hand, known, this.#downAt.get(link.key) ?? 0, now);
      if (raisedAt === null) this.#downAt.set(link.key, now);
      patchPeer(store, link.key, { mic, camera, screen, held, hand: raisedAt, recording });
    },
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  opened(link) {
    link.tell(this.#state());
  }

  /** @param {Link} link */
  removed(link) {
    this.#downAt.delete(link.key);
  }

  /** Something of ours went on or off. */
  changed() {
    for (const link of this.context.links()) link.tell(this.#state());
  }

  /** Our hand goes up, or down. @param {boolean} up */
  raiseHand(up) {
    this.context.store.set({ hand: up ? Date.now() : null });
    this.changed();
  }

  /** @returns {PresenceMessage} */
  #state() {
    const { mic, camera, screen } = this.context.local.view;
    const { held, hand, recording } = this.context.store.get();
    return {
      type: 'state', mic: mic === 'on', camera: camera === 'on', screen, held,
      hand: hand === null ? null : Date.now() - hand, recording: recording !== null,
    };
  }
}
