/**
 * What peers tell each other over the control channel (a negotiated data channel, id 0, so that it is
 * there without a round trip). JSON, one object a message, its `type` the key of a parser below; what
 * comes in is judged there, before anything else sees it. A new kind of message is a parser in
 * `messages/` and a feature of the call that listens to it (session/call.js).
 * @module
 */
import { chatMessages } from './messages/chat.js';
import { historyMessages } from './messages/history.js';
import { pathMessages } from './messages/path.js';
import { presenceMessages } from './messages/presence.js';
import { reactionMessages } from './messages/reaction.js';
import { rosterMessages } from './messages/roster.js';
import { safetyMessages } from './messages/safety.js';

export const CONTROL_CHANNEL = { label: 'talkie-control', id: 0 };
const MESSAGE_LENGTH = 32_768;

/**
 * A parser makes a clean message of a raw object that has its type, or null of one that is none.
 * @type {Record<string, (raw: any) => object|null>}
 */
const PARSERS = { ...presenceMessages, ...chatMessages, ...historyMessages, ...reactionMessages, ...pathMessages, ...rosterMessages, ...safetyMessages };

/**
 * @typedef {import('./messages/presence.js').PresenceMessage
 *   | import('./messages/chat.js').ChatControl
 *   | import('./messages/chat.js').TypingMessage
 *   | import('./messages/history.js').HistoryAsk
 *   | import('./messages/history.js').HistoryMessage
 *   | import('./messages/reaction.js').ReactionMessage
 *   | import('./messages/path.js').PathMessage
 *   | import('./messages/roster.js').MovedMessage
 *   | import('./messages/roster.js').KnockingMessage
 *   | import('./messages/safety.js').SafetyMessage} ControlMessage
 */

/**
 * @param {unknown} data
 * @returns {ControlMessage|null} null for anything that is not a message we know
 */
export function parseControl(data) {
  if (typeof data !== 'string' || data.length > MESSAGE_LENGTH) return null;
  let raw;
  try {
    raw = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof raw !== 'object' || raw === null || typeof raw.type !== 'string') return null;
  const parser = Object.hasOwn(PARSERS, raw.type) ? PARSERS[raw.type] : undefined;
  return /** @type {ControlMessage|null} */ (parser?.(raw) ?? null);
}
