/**
 * `chat`: a line that somebody wrote.
 * @module
 */

/** @typedef {{type: 'chat', text: string}} ChatControl */

export const CHAT_LENGTH = 4000;

export const chatMessages = {
  /** @param {any} raw @returns {ChatControl|null} */
  chat: (raw) => {
    const text = typeof raw.text === 'string' ? cleanChat(raw.text) : '';
    return text ? { type: 'chat', text } : null;
  },
};

/**
 * Chat keeps its line breaks; each line is otherwise as harmless as a name.
 * @param {string} text
 */
export function cleanChat(text) {
  const cut = [...text.slice(0, CHAT_LENGTH * 2)].slice(0, CHAT_LENGTH).join('');
  // eslint-disable-next-line no-control-regex
  return cut.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ').replace(/\n{3,}/g, '\n\n').trim();
}

/** A peer may send this many chat messages at once, and one more every half second. */
const CHAT_BURST = 20;
const CHAT_EVERY_MS = 500;

/** Bounds what one peer can put into everybody's chat. */
export class ChatGate {
  #tokens = CHAT_BURST;
  #at = 0;

  /** @param {number} now in milliseconds */
  admit(now) {
    this.#tokens = Math.min(CHAT_BURST, this.#tokens + (now - this.#at) / CHAT_EVERY_MS);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
