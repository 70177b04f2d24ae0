/**
 * The chat from before we came. A newcomer asks whoever has been there longest; when no answer comes in
 * time, the next one. The answer is hearsay: it is taken only from the one who was asked, within bounds,
 * and is shown with the name of who told it.
 * @module
 */
import { HistoryBound, historyParts } from '../peer/messages/history.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {HistoryMessage, Told} from '../peer/messages/history.js' */

const ANSWER_WITHIN_MS = 6000;
/** How long a younger peer waits for an older one's channel to open. */
const OLDER_FIRST_MS = 2500;
/** An answer is worth 64 KiB: a peer gets so many of them. */
const ANSWERS_A_PEER = 3;

export class History {
  /** @type {Link|null} */ #asked = null;
  /** @type {Set<Link>} */ #tried = new Set();
  /** @type {Map<string, number>} */ #answered = new Map();
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #bound = new HistoryBound();
  #done = false;

  on = {
    /** @param {Link} link */
    'history-ask': (link) => this.#answer(link),
    /** @param {Link} link @param {HistoryMessage} message */
    history: (link, { messages, last }) => {
      if (link !== this.#asked || this.#done) return;
      this.take(link.name, this.#bound.admit(messages));
      if (last) this.#finish();
    },
  };

  /**
   * @param {CallContext} context
   * @param {{known: () => Told[], take: (teller: string, messages: Told[]) => void}} chat
   */
  constructor(context, { known, take }) {
    this.context = context;
    this.known = known;
    this.take = take;
  }

  /** @param {Link} link */
  opened(link) {
    // Who is polite came later than the other.
    if (!link.polite || this.#done || this.#asked) return;
    clearTimeout(this.#timer);
    if (this.#eldest() === link) this.#ask(link);
    else this.#timer = setTimeout(() => this.#next(), OLDER_FIRST_MS);
  }

  /** @param {Link} link */
  removed(link) {
    this.#answered.delete(link.key);
    this.#tried.delete(link);
    if (link === this.#asked) this.#next();
  }

  close() {
    this.#finish();
  }

  /** The server lists peers in the order in which they came, and so do the links stand. */
  #eldest() {
    return this.context.links().find((link) => link.polite && !this.#tried.has(link));
  }

  #next() {
    this.#asked = null;
    const next = this.context.links().find((link) => link.polite && !this.#tried.has(link) && link.control?.readyState === 'open');
    if (next && !this.#done) this.#ask(next);
  }

  /** @param {Link} link */
  #ask(link) {
    clearTimeout(this.#timer);
    this.#tried.add(link);
    this.#asked = link;
    this.#bound = new HistoryBound();
    link.tell({ type: 'history-ask' });
    this.#timer = setTimeout(() => this.#next(), ANSWER_WITHIN_MS);
  }

  #finish() {
    clearTimeout(this.#timer);
    this.#asked = null;
    this.#done = true;
  }

  /** @param {Link} link */
  #answer(link) {
    const answers = this.#answered.get(link.key) ?? 0;
    if (answers >= ANSWERS_A_PEER) return;
    this.#answered.set(link.key, answers + 1);
    for (const part of historyParts(this.known())) link.tell(part);
  }
}
