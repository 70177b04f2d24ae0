/**
 * `chat`: a line that somebody wrote; `typing`: that somebody is writing one.
 * @module
 */
import { Bucket } from './bucket.js';

/** `id` is the writer's own: '' when an older version gave none. @typedef {{type: 'chat', id: string, text: string}} ChatControl */
/** @typedef {{type: 'typing', on: boolean}} TypingMessage */

export const CHAT_LENGTH = 4000;

export const chatMessages = {
  /** @param {any} raw @returns {ChatControl|null} */
  chat: (raw) => {
    const text = typeof raw.text === 'string' ? cleanChat(raw.text) : '';
    return text ? { type: 'chat', id: cleanId(raw.id), text } : null;
  },
  /** @param {any} raw @returns {TypingMessage} */
  typing: (raw) => ({ type: 'typing', on: raw.on === true }),
};

/** @param {unknown} id @returns {string} '' for what is no message id */
export function cleanId(id) {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{8,32}$/.test(id) ? id : '';
}

/**
 * Chat keeps its line breaks; each line is otherwise as harmless as a name.
 * @param {string} text
 */
export function cleanChat(text) {
  const cut = [...text.slice(0, CHAT_LENGTH * 2)].slice(0, CHAT_LENGTH).join('');
  // eslint-disable-next-line no-control-regex
  return cut.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, ' ').replace(/\n{3,}/g, '\n\n').trim();
}

/** Bounds what one peer can put into everybody's chat: so many at once, and one more every half second. */
export class ChatGate extends Bucket {
  constructor() {
    super({ burst: 20, everyMs: 500 });
  }
}
