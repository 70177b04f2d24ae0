/**
 * Keeps a file in the origin's private file system while it arrives, and offers it for saving from there:
 * on disk all the time. Each tab has a folder of its own, see claim.js.
 * @module
 */
import { inertMime, randomHex } from '../protocol.js';
import { claim, fits, ROOM } from './claim.js';

/** @import {Sink, Single} from './sink.js' */

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
    return (await fits(size)) ? await fileSink(within, inertMime(mime)) : null;
  } catch (error) {
    folder = null;
    // Private windows of Firefox have none.
    if (!(error instanceof DOMException && error.name === 'SecurityError')) console.warn('talkie: no private files', error);
    return null;
  }
}

async function openFolder() {
  const root = await navigator.storage.getDirectory();
  const room = await root.getDirectoryHandle(ROOM, { create: true });
  const { name, isAlive } = await claim();
  for await (const left of /** @type {any} */ (room).keys()) {
    if (!isAlive(left)) await room.removeEntry(left, { recursive: true }).catch(() => {});
  }
  return room.getDirectoryHandle(name, { create: true });
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
