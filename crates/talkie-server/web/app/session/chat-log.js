/**
 * The list of chat messages: in order of time, bounded, no message twice. Pure.
 *
 * Ids are the writers' own. A message that its writer sends us is believed over the same one as somebody
 * told it; two writers' equal ids are two messages.
 * @module
 */

/** @import {ChatMessage} from '../types.js' */

export const CHAT_KEPT = 500;

/**
 * @param {readonly ChatMessage[]} log
 * @param {ChatMessage} message from its writer, or our own
 * @returns {readonly ChatMessage[]} the same list when it was there already
 */
export function withSaid(log, message) {
  if (log.some((one) => one.id === message.id && one.told === null && one.from === message.from)) return log;
  const told = log.findIndex((one) => one.id === message.id && one.told !== null);
  if (told >= 0) return log.with(told, { ...message, key: log[told]?.key ?? message.key, at: log[told]?.at ?? message.at });
  return [...log, message].slice(-CHAT_KEPT);
}

/**
 * @param {readonly ChatMessage[]} log
 * @param {readonly ChatMessage[]} messages told by somebody
 * @returns {readonly ChatMessage[]}
 */
export function withTold(log, messages) {
  const known = new Set(log.map((one) => one.id));
  const fresh = messages.filter((one) => !known.has(one.id) && known.add(one.id));
  if (fresh.length === 0) return log;
  // What was said to ourselves is the last to go.
  const room = Math.max(0, CHAT_KEPT - log.length);
  return [...(room ? fresh.slice(-room) : []), ...log].sort((a, b) => a.at - b.at);
}
