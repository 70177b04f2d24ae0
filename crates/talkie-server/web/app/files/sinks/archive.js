/**
 * Many files as one ZIP file, written while they arrive; how long it will be is known beforehand.
 * @module
 */
import { Splitter } from '../manifest.js';
import { centralHeader, crc32, descriptor, ending, localHeader } from './zip.js';

/** @import {Entry} from '../manifest.js' */
/** @import {Sink} from './sink.js' */
/** @import {Member} from './zip.js' */

/** Small pieces are put together up to this. */
const PIECE = 1 << 20;

/** @param {readonly Uint8Array[]} parts */
const lengthOf = (parts) => parts.reduce((sum, part) => sum + part.byteLength, 0);

/** @param {readonly Entry[]} files @returns {number} */
export function archiveSize(files) {
  const date = new Date(0);
  let offset = 0;
  let directory = 0;
  for (const { path, size } of files) {
    const member = { name: new TextEncoder().encode(path), size, offset, crc: 0 };
    directory += lengthOf(centralHeader(member, date));
    offset += lengthOf(localHeader(member, date)) + size + descriptor(size, 0).byteLength;
  }
  return offset + directory + lengthOf(ending(files.length, directory, offset));
}

/** @param {Sink} inner @param {readonly Entry[]} files @param {Date} [date] @returns {Sink} */
export function archiveSink(inner, files, date = new Date()) {
  return new Archive(inner, files, date);
}

class Archive {
  /** @type {Member[]} */ #members = [];
  /** @type {Member|null} */ #now = null;
  #buffer = new Uint8Array(PIECE);
  #held = 0;
  #offset = 0;

  /** @param {Sink} inner @param {readonly Entry[]} files @param {Date} date */
  constructor(inner, files, date) {
    this.inner = inner;
    this.splitter = new Splitter(files);
    this.date = date;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  async write(bytes) {
    for (const { file, first, last, part } of this.splitter.feed(bytes)) {
      if (first) {
        this.#now = { name: new TextEncoder().encode(file.path), size: file.size, offset: this.#offset, crc: 0 };
        for (const piece of localHeader(this.#now, this.date)) await this.#put(piece);
      }
      const now = /** @type {Member} */ (this.#now);
      now.crc = crc32(part, now.crc);
      await this.#put(part);
      if (!last) continue;
      await this.#put(descriptor(now.size, now.crc));
      this.#members.push(now);
    }
  }

  async finish() {
    await this.write(new Uint8Array(0));
    const start = this.#offset;
    for (const member of this.#members) for (const piece of centralHeader(member, this.date)) await this.#put(piece);
    for (const piece of ending(this.#members.length, this.#offset - start, start)) await this.#put(piece);
    await this.#flush();
    return this.inner.finish();
  }

  abort() {
    return this.inner.abort();
  }

  /** @param {Uint8Array} bytes */
  async #put(bytes) {
    this.#offset += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength; ) {
      const take = Math.min(PIECE - this.#held, bytes.byteLength - at);
      this.#buffer.set(bytes.subarray(at, at + take), this.#held);
      this.#held += take;
      at += take;
      if (this.#held === PIECE) await this.#flush();
    }
  }

  async #flush() {
    if (this.#held === 0) return;
    const whole = this.#buffer.subarray(0, this.#held);
    this.#buffer = new Uint8Array(PIECE);
    this.#held = 0;
    await this.inner.write(whole);
  }
}
