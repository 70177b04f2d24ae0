/**
 * What peers tell each other over the control channel (a negotiated data channel, id 0, so that it is
 * there without a round trip): whether microphone, camera and screen are on; chat; the path as each
 * side sees it; and the new id of a peer that had to join again. JSON, one object a message. What
 * comes in is judged here, before anything else sees it.
 * @module
 */

/** @import {PeerPath} from '../types.js' */

/**
 * @typedef {{type: 'state', mic: boolean, camera: boolean, screen: boolean}
 *   | {type: 'chat', text: string}
 *   | {type: 'path', kind: PeerPath['kind'], via: PeerPath['via']}
 *   | {type: 'moved', id: string}} ControlMessage
 */

export const CONTROL_CHANNEL = { label: 'talkie-control', id: 0 };
export const CHAT_LENGTH = 4000;
const MESSAGE_LENGTH = 32_768;

/**
 * @param {unknown} data
 * @returns {ControlMessage|null} null for anything that is not a message we know
 */
export function parseControl(data) {
  if (typeof data !== 'string' || data.length > MESSAGE_LENGTH) return null;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof message !== 'object' || message === null) return null;
  switch (message.type) {
    case 'state':
      return { type: 'state', mic: message.mic === true, camera: message.camera === true, screen: message.screen === true };
    case 'chat': {
      const text = typeof message.text === 'string' ? cleanChat(message.text) : '';
      return text ? { type: 'chat', text } : null;
    }
    case 'path':
      if (!['direct', 'nat', 'relay'].includes(message.kind)) return null;
      return { type: 'path', kind: message.kind, via: ['udp', 'tcp', 'tls'].includes(message.via) ? message.via : null };
    case 'moved':
      return typeof message.id === 'string' && message.id.length <= 128 ? { type: 'moved', id: message.id } : null;
    default:
      return null;
  }
}

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

