/**
 * Reactions: shown for a moment over the tile of whoever sent them, ours too. What a peer can send is
 * bounded, and what is shown at once as well.
 * @module
 */
import { Bucket } from '../peer/messages/bucket.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {Reaction, ReactionMessage} from '../peer/messages/reaction.js' */

const SHOWN_MS = 3500;
const SHOWN_AT_ONCE = 24;
const RATE = { burst: 5, everyMs: 700 };

let reactionId = 0;

export class Reactions {
  /** @type {Map<string, Bucket>} */ #gates = new Map();
  #own = new Bucket(RATE);

  on = {
    /** @param {Link} link @param {ReactionMessage} message */
    reaction: (link, { emoji }) => {
      if (this.#gates.get(link.key)?.admit(performance.now())) this.#show(link.key, link.name, emoji);
    },
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  added(link) {
    this.#gates.set(link.key, new Bucket(RATE));
  }

  /** @param {Link} link */
  removed(link) {
    this.#gates.delete(link.key);
  }

  /** @param {Reaction} emoji */
  send(emoji) {
    if (!this.#own.admit(performance.now())) return;
    for (const link of this.context.links()) link.tell({ type: 'reaction', emoji });
    this.#show('self', '', emoji);
  }

  /** @param {string} peer @param {string} name @param {Reaction} emoji */
  #show(peer, name, emoji) {
    const { store } = this.context;
    const id = ++reactionId;
    store.set({ reactions: [...store.get().reactions, { id, peer, name, emoji }].slice(-SHOWN_AT_ONCE) });
    setTimeout(() => store.set({ reactions: store.get().reactions.filter((one) => one.id !== id) }), SHOWN_MS);
  }
}
