/**
 * What is sent: files one behind the other, read a block at a time. On its way to several peers it is
 * read for each, but hashed once.
 * @module
 */
import { sha256 } from './blocks.js';
import { Extents } from './manifest.js';
import { BLOCK, blockLength, randomHex } from './protocol.js';

/** @import {Entry} from './manifest.js' */
/** @typedef {{path: string, file: File}} Item */

export class Source {
  /** @type {Map<number, Promise<string>>} */ #digests = new Map();
  group = `g${randomHex(8)}`;

  /** @param {readonly Item[]} items at least one */
  constructor(items) {
    this.items = items;
    /** @type {Entry[]} */
    this.files = items.map(({ path, file }) => ({ path, size: file.size }));
    this.extents = new Extents(this.files);
    const top = items[0]?.path.split('/')[0] ?? '';
    /** All in one folder: its name is the offer's. */
    this.folder = items.every(({ path }) => path.startsWith(`${top}/`));
    this.name = this.folder ? top : (items[0]?.file.name ?? '');
    this.mime = items.length === 1 ? (items[0]?.file.type ?? '') : '';
  }

  get size() {
    return this.extents.size;
  }

  /** @param {number} block */
  async read(block) {
    const bytes = await this.#bytes(block * BLOCK, blockLength(this.size, block));
    let digest = this.#digests.get(block);
    if (!digest) this.#digests.set(block, (digest = sha256(bytes)));
    return { bytes, digest: await digest };
  }

  /** @param {number} start @param {number} length */
  async #bytes(start, length) {
    /** @type {Blob[]} */
    const parts = [];
    let left = length;
    for (let index = this.extents.at(start); left > 0; index += 1) {
      const from = parts.length === 0 ? start - this.extents.start(index) : 0;
      const file = this.items[index]?.file;
      const take = Math.min(left, (this.files[index]?.size ?? 0) - from);
      if (file && take > 0) parts.push(file.slice(from, from + take));
      left -= take;
    }
    const bytes = await (parts.length === 1 && parts[0] ? parts[0] : new Blob(parts)).arrayBuffer();
    if (bytes.byteLength !== length) throw new Error('a file changed');
    return bytes;
  }
}
