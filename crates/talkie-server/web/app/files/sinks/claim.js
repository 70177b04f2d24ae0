/**
 * What a tab keeps in the browser's storage bears a name that the tab claims: a lock that it holds while it
 * lives. So what closed tabs left behind can be told, and removed.
 * @module
 */
import { randomHex } from '../protocol.js';

export const ROOM = 'talkie-received';

/** @returns {Promise<{name: string, isAlive: (name: string) => boolean}>} the tab's own, and whose tab is still there */
export async function claim() {
  const name = randomHex(8);
  await hold(name);
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const alive = new Set(held.map((lock) => lock.name));
  return { name, isAlive: (other) => alive.has(`${ROOM}/${other}`) };
}

/** Until the tab goes. @param {string} name */
function hold(name) {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(undefined);
    void navigator.locks.request(`${ROOM}/${name}`, () => {
      resolve(undefined);
      return new Promise(() => {});
    });
  });
}

/** Saving from the browser's storage needs some space besides. @param {number} size */
export async function fits(size) {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return quota - usage >= size * 1.05;
}
