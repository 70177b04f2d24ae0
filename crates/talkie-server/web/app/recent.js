/**
 * The rooms that somebody was in, kept in this browser with their keys: whoever can open this browser
 * can enter them. So the list is short, can be cleared, and can be switched off. Judged when it is read,
 * since anybody may have written there.
 * @module
 */
import { toKey, toRoomName } from './names.js';

const KEPT = 'talkie-rooms';
export const MOST_ROOMS = 8;

/** @typedef {{room: string, key: string|null, at: number}} RecentRoom `at`: when it was entered, ms since 1970 */

/** @param {unknown} stored @returns {RecentRoom[]} the newest first */
export function judgeRooms(stored) {
  if (!Array.isArray(stored)) return [];
  /** @type {Map<string, RecentRoom>} */
  const rooms = new Map();
  for (const one of stored.slice(0, MOST_ROOMS * 2)) {
    const { room, key, at } = one ?? {};
    if (typeof room !== 'string' || toRoomName(room) !== room || !Number.isFinite(at) || rooms.has(room)) continue;
    rooms.set(room, { room, key: typeof key === 'string' ? toKey(key) : null, at });
  }
  return [...rooms.values()].sort((a, b) => b.at - a.at).slice(0, MOST_ROOMS);
}

/** @returns {RecentRoom[]} */
export function recentRooms() {
  try {
    return judgeRooms(JSON.parse(localStorage.getItem(KEPT) ?? '[]'));
  } catch {
    return []; // storage is switched off, or not ours
  }
}

/** @param {{room: string, key: string|null}} entered */
export function rememberRoom({ room, key }) {
  keep([{ room, key, at: Date.now() }, ...recentRooms().filter((known) => known.room !== room)]);
}

/** @param {string} room */
export function forgetRoom(room) {
  keep(recentRooms().filter((known) => known.room !== room));
}

export function forgetAllRooms() {
  keep([]);
}

/** @param {RecentRoom[]} rooms */
function keep(rooms) {
  try {
    if (rooms.length > 0) localStorage.setItem(KEPT, JSON.stringify(judgeRooms(rooms)));
    else localStorage.removeItem(KEPT);
  } catch {
    // Then the list is not kept.
  }
}
