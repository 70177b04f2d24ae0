/**
 * What an offer holds: its list of files, told in bounded pieces, and which byte of the offer belongs to
 * which file. Pure.
 * @module
 */
import { BYTES_LIMIT, FILES_LIMIT, LIST_LIMIT } from './protocol.js';
import { cleanPaths } from './paths.js';

/** @import {Offer} from './protocol.js' */
/** @typedef {{path: string, size: number}} Entry */
/** @typedef {{name: string, mime: string, size: number, folder: boolean, files: readonly Entry[]}} Manifest */

const PIECE_LIMIT = 32_000;

/** @param {readonly Entry[]} files @returns {Generator<{type: 'files', from: number, files: [string, number][]}>} */
export function* pieces(files) {
  /** @type {[string, number][]} */
  let piece = [];
  let from = 0;
  let length = 0;
  for (const [at, { path, size }] of files.entries()) {
    // JSON writes a control character with six.
    const cost = path.length * 6 + 24;
    if (piece.length > 0 && length + cost > PIECE_LIMIT) {
      yield { type: 'files', from, files: piece };
      piece = [];
      from = at;
      length = 0;
    }
    piece.push([path, size]);
    length += cost;
  }
  yield { type: 'files', from, files: piece };
}

/** Puts the pieces together, and says at once when they can't become what was announced. */
export class ManifestReader {
  /** @type {[string, number][]} */ #files = [];
  #length = 0;
  #bytes = 0;

  /** @param {Offer} offer */
  constructor(offer) {
    this.offer = offer;
  }

  /** @returns {'too-many'|'too-big'|null} what is wrong with the offer itself */
  get refusal() {
    if (this.offer.count > FILES_LIMIT) return 'too-many';
    return this.offer.size > BYTES_LIMIT ? 'too-big' : null;
  }

  /**
   * @param {number} from
   * @param {readonly [string, number][]} files
   * @returns {Manifest|'list'|null} null: more is to come
   */
  add(from, files) {
    const { offer } = this;
    if (from !== this.#files.length || files.length === 0 || from + files.length > offer.count) return 'list';
    for (const file of files) {
      this.#length += file[0].length;
      this.#bytes += file[1];
      this.#files.push(file);
    }
    if (this.#length > LIST_LIMIT || this.#bytes > offer.size) return 'list';
    if (this.#files.length < offer.count) return null;
    const paths = this.#bytes === offer.size ? cleanPaths(this.#files.map(([path]) => path)) : null;
    if (!paths) return 'list';
    const { name, mime, size, folder } = offer;
    return { name, mime, size, folder, files: paths.map((path, i) => ({ path, size: this.#files[i]?.[1] ?? 0 })) };
  }
}

/** Where each file lies in the offer. */
export class Extents {
  /** @type {number[]} the offset behind each file */ #ends = [];

  /** @param {readonly {size: number}[]} files */
  constructor(files) {
    let end = 0;
    for (const { size } of files) this.#ends.push((end += size));
  }

  get size() {
    return this.#ends.at(-1) ?? 0;
  }

  /** @param {number} offset @returns {number} the file that holds the byte there; how many there are, at the end */
  at(offset) {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param {number} file @returns {number} */
  start(file) {
    return this.#ends[file - 1] ?? 0;
  }
}

/** Cuts the offer's bytes, as they come, into the files that they belong to. */
export class Splitter {
  #index = 0;
  #done = 0;

  /** @param {readonly Entry[]} files */
  constructor(files) {
    this.files = files;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Generator<{file: Entry, first: boolean, last: boolean, part: Uint8Array<ArrayBuffer>}>}
   */
  *feed(bytes) {
    let at = 0;
    for (;;) {
      const file = this.files[this.#index];
      if (!file) return;
      const take = Math.min(file.size - this.#done, bytes.byteLength - at);
      if (take === 0 && file.size > 0) return;
      const first = this.#done === 0;
      this.#done += take;
      const last = this.#done === file.size;
      const whole = at === 0 && take === bytes.byteLength;
      yield { file, first, last, part: whole ? bytes : bytes.subarray(at, at + take) };
      at += take;
      if (!last) return;
      this.#index += 1;
      this.#done = 0;
    }
  }
}
