/**
 * Keeps a file in the origin's private file system while it arrives, and offers it for saving from there:
 * on disk all the time. Each tab has a folder of its own and holds a lock while it lives, so that what a
 * closed tab left behind can be removed.
 * @module
 */
import { inertMime, randomHex } from '../protocol.js';

/** @import {Sink, Single} from './sink.js' */

const ROOM = 'talkie-received';
/** Saving from there needs the space once more. */
const SPACE = 1.05;

/** @type {Promise<FileSystemDirectoryHandle>|null} */
let folder = null;

/**
 * @param {Single} single
 * @returns {Promise<Sink|null>} null: none there, or no room
 */
export async function keptSink({ size, mime }) {
  try {
    folder ??= openFolder();
    const within = await folder;
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    if (quota - usage < size * SPACE) return null;
    return await fileSink(within, inertMime(mime));
  } catch (error) {
    folder = null;
    console.warn('talkie: no private files', error);
    return null;
  }
}

async function openFolder() {
  const root = await navigator.storage.getDirectory();
  const room = await root.getDirectoryHandle(ROOM, { create: true });
  const name = randomHex(8);
  await hold(name);
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const alive = new Set(held.map((lock) => lock.name));
  for await (const left of /** @type {any} */ (room).keys()) {
    if (!alive.has(`${ROOM}/${left}`)) await room.removeEntry(left, { recursive: true }).catch(() => {});
  }
  return room.getDirectoryHandle(name, { create: true });
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

/** @param {FileSystemDirectoryHandle} within @param {string} type @returns {Promise<Sink>} */
async function fileSink(within, type) {
  const name = randomHex(8);
  const handle = await within.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  return {
    write: (bytes) => stream.write(bytes),
    async finish() {
      await stream.close();
      const file = await handle.getFile();
      // A slice, for its type: it copies nothing.
      return URL.createObjectURL(file.slice(0, file.size, type));
    },
    async abort() {
      await stream.abort().catch(() => {});
      await within.removeEntry(name).catch(() => {});
    },
  };
}
