/**
 * `history-ask` and `history`: what was said before somebody came. It is hearsay, and bounded like all
 * that a peer says: so many messages, so many bytes, in parts that each fit a control message.
 * @module
 */
import { cleanName } from '../../names.js';
import { cleanChat, cleanId } from './chat.js';

/**
 * One message as a peer remembers it. `age` is in milliseconds, since clocks differ.
 * @typedef {{id: string, name: string, text: string, age: number}} Told
 */
/** @typedef {{type: 'history-ask'}} HistoryAsk */
/** @typedef {{type: 'history', messages: Told[], last: boolean}} HistoryMessage */

export const HISTORY_MESSAGES = 200;
export const HISTORY_BYTES = 65_536;
/** Below the 32 KiB of a control message, with room for what is around the list. */
const PART_BYTES = 30_000;
const WEEK_MS = 604_800_000;

export const historyMessages = {
  /** @returns {HistoryAsk} */
  'history-ask': () => ({ type: 'history-ask' }),
  /** @param {any} raw @returns {HistoryMessage|null} */
  history: (raw) => {
    if (!Array.isArray(raw.messages)) return null;
    const messages = raw.messages.slice(0, HISTORY_MESSAGES).map(told).filter((/** @type {Told|null} */ one) => one !== null);
    return { type: 'history', messages, last: raw.last === true };
  },
};

/** @param {any} raw @returns {Told|null} */
function told(raw) {
  if (typeof raw !== 'object' || raw === null || typeof raw.text !== 'string') return null;
  const id = cleanId(raw.id);
  const text = cleanChat(raw.text);
  if (!id || !text || !Number.isFinite(raw.age)) return null;
  return { id, name: cleanName(raw.name), text, age: Math.min(Math.max(0, raw.age), WEEK_MS) };
}

/** @param {unknown} value */
const weight = (value) => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * The newest of what we remember, within the bounds, oldest first, in parts.
 * @param {readonly Told[]} messages oldest first
 * @returns {HistoryMessage[]} at least one; the last says so
 */
export function historyParts(messages) {
  /** @type {Told[][]} */
  const parts = [[]];
  let total = 0;
  let part = 0;
  for (const message of messages.slice(-HISTORY_MESSAGES).reverse()) {
    const bytes = weight(message) + 1;
    total += bytes;
    if (total > HISTORY_BYTES) break;
    if (part + bytes > PART_BYTES) {
      parts.push([]);
      part = 0;
    }
    part += bytes;
    parts.at(-1)?.push(message);
  }
  return parts.map((list, at) => ({ type: /** @type {const} */ ('history'), messages: list.reverse(), last: at === parts.length - 1 }));
}

/** Counts what comes in as an answer, and stops at the bounds that an honest peer keeps. */
export class HistoryBound {
  #messages = 0;
  #bytes = 0;

  /** @param {readonly Told[]} messages @returns {Told[]} those that are still within */
  admit(messages) {
    return messages.filter((message) => {
      this.#messages += 1;
      this.#bytes += weight(message) + 1;
      return this.#messages <= HISTORY_MESSAGES && this.#bytes <= HISTORY_BYTES;
    });
  }
}
