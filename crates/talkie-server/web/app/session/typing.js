/**
 * Who is writing at present. We say so at most every three seconds while we write; what a peer says
 * holds for six, so that a peer that vanishes does not write for ever.
 * @module
 */

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {TypingMessage} from '../peer/messages/chat.js' */

const SAY_EVERY_MS = 3000;
const HOLDS_MS = 6000;

export class Typing {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */ #timers = new Map();
  #saidAt = -Infinity;
  #saying = false;

  on = {
    /** @param {Link} link @param {TypingMessage} message */
    typing: (link, { on }) => (on ? this.#begins(link.key) : this.ends(link.key)),
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  removed(link) {
    this.ends(link.key);
  }

  close() {
    for (const key of [...this.#timers.keys()]) this.ends(key);
  }

  /** Something was typed, or all of it was taken away or sent. @param {boolean} on */
  mine(on) {
    const now = performance.now();
    if (on ? now - this.#saidAt < SAY_EVERY_MS : !this.#saying) return;
    this.#saidAt = on ? now : -Infinity;
    this.#saying = on;
    for (const link of this.context.links()) link.tell({ type: 'typing', on });
  }

  /** @param {string} key */
  ends(key) {
    clearTimeout(this.#timers.get(key));
    if (this.#timers.delete(key)) this.#show();
  }

  /** @param {string} key */
  #begins(key) {
    const known = this.#timers.has(key);
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.ends(key), HOLDS_MS));
    if (!known) this.#show();
  }

  #show() {
    this.context.store.set({ typing: [...this.#timers.keys()] });
  }
}
