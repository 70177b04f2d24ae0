/**
 * Which files somebody means: picked, pasted or dropped, with folders walked through. Bounded, because a
 * dropped home directory is a mistake.
 * @module
 */
import { FILES_LIMIT } from './protocol.js';
import { DEPTH_LIMIT } from './paths.js';

/** @import {Item} from './source.js' */

/** More than fit into one offer. */
export class TooMany extends Error {}

/** @param {Iterable<File>} files @returns {Item[]} of an input or the clipboard */
export function fromFiles(files) {
  const items = [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  if (items.length > FILES_LIMIT) throw new TooMany();
  return items;
}

/**
 * The transfer is only readable while its event is handled: what is needed of it is taken before the
 * first wait.
 * @param {DataTransfer} transfer
 * @returns {Promise<Item[]>}
 */
export async function fromDrop(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...transfer.files];
  // Without entries (some Linux file managers, pasted pictures) there are only plain files.
  if (!entries.some(Boolean)) return fromFiles(files);
  /** @type {Item[]} */
  const items = [];
  for (const entry of entries) if (entry) await walk(entry, entry.name, 1, items);
  return items;
}

/** @param {FileSystemEntry} entry @param {string} path @param {number} depth @param {Item[]} items */
async function walk(entry, path, depth, items) {
  if (items.length >= FILES_LIMIT || depth > DEPTH_LIMIT) throw new TooMany();
  if (entry.isFile) {
    const file = await new Promise((/** @type {(file: File) => void} */ resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    items.push({ path, file });
  } else if (entry.isDirectory) {
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    for (;;) {
      // A hundred at a time, until none is left.
      const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const inside of some) await walk(inside, `${path}/${inside.name}`, depth + 1, items);
    }
  }
}
