/**
 * How many people the room holds, and what to say about it before it is full. Pure.
 * @module
 */

/** From so many on, each sends its picture to so many others that the uplink feels it. */
const MANY = 5;

/** @param {unknown} limits as the server's welcome has them (docs/signaling.md) @returns {number|null} */
export function readRoomPeers(limits) {
  const peers = /** @type {any} */ (limits)?.roomPeers;
  return Number.isInteger(peers) && peers > 0 ? peers : null;
}

/**
 * @param {number} people with ourselves
 * @param {number|null} limit
 * @returns {'full'|'one-left'|'many'|''}
 */
export function roomNote(people, limit) {
  if (limit !== null && people >= limit) return 'full';
  if (limit !== null && people === limit - 1) return 'one-left';
  return people >= MANY ? 'many' : '';
}
