/**
 * How a file travels over its own data channel (label `talkie-file`, ordered), sender S to receiver R:
 *
 *     S→R  {type:'offer', name, size, mime, group}
 *     R→S  {type:'accept'}  or  {type:'decline'}
 *     S→R  binary chunks, 1 MiB of them make a block; after each block {type:'digest', block, sha256}
 *     R→S  {type:'ack', bytes}     everything up to here is checked and stored
 *     S→R  {type:'end'}            after the last block
 *     R→S  {type:'done', verified}
 *     any  {type:'cancel', reason}, or the channel closes
 *
 * The sender keeps at most WINDOW bytes unacknowledged, so a slow disk at the far end slows the sender
 * and fills no memory. Pure: parsing, limits, and putting chunks together into blocks.
 * @module
 */
import { cleanFileName } from '../names.js';

export const FILE_CHANNEL = 'talkie-file';
export const BLOCK = 1 << 20;
export const WINDOW = 8 * BLOCK;
/** What every browser takes in one message, and small enough to share the channel fairly. */
export const CHUNK = 1 << 16;

/**
 * @typedef {{type: 'offer', name: string, size: number, mime: string}
 *   | {type: 'accept'} | {type: 'decline'}
 *   | {type: 'digest', block: number, sha256: string|null}
 *   | {type: 'ack', bytes: number}
 *   | {type: 'end'}
 *   | {type: 'done', verified: boolean|null}
 *   | {type: 'cancel', reason: string}} FileMessage
 */

/** Reasons that one side may give the other; anything else reads as `protocol`. */
const REASONS = new Set(['left', 'changed', 'damaged', 'protocol', 'storage', 'too-big', 'cancelled']);

/**
 * @param {string} text
 * @returns {FileMessage|null} null for what is no message of this protocol
 */
export function parseFileMessage(text) {
  if (text.length > 16_384) return null;
  let m;
  try {
    m = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof m !== 'object' || m === null) return null;
  switch (m.type) {
    case 'offer':
      if (typeof m.name !== 'string' || !isSize(m.size)) return null;
      return { type: 'offer', name: cleanFileName(m.name), size: m.size, mime: cleanMime(m.mime) };
    case 'accept':
    case 'decline':
    case 'end':
      return { type: m.type };
    case 'digest':
      return isSize(m.block) ? { type: 'digest', block: m.block, sha256: isDigest(m.sha256) ? m.sha256 : null } : null;
    case 'ack':
      return isSize(m.bytes) ? { type: 'ack', bytes: m.bytes } : null;
    case 'done':
      return { type: 'done', verified: typeof m.verified === 'boolean' ? m.verified : null };
    case 'cancel':
      return { type: 'cancel', reason: REASONS.has(m.reason) ? m.reason : 'protocol' };
    default:
      return null;
  }
}

/** @param {unknown} n @returns {n is number} */
const isSize = (n) => Number.isSafeInteger(n) && /** @type {number} */ (n) >= 0;

/** @param {unknown} d */
const isDigest = (d) => typeof d === 'string' && /^[0-9a-f]{64}$/.test(d);

/** @param {unknown} mime */
function cleanMime(mime) {
  return typeof mime === 'string' && /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(mime) ? mime.toLowerCase() : '';
}

/**
 * Types that a browser would run if somebody opened the saved blob's address: handed out as plain
 * bytes, because a blob: address has this page's origin.
 * @param {string} mime
 */
export function inertMime(mime) {
  return /^(?:image\/(?!svg)|audio\/|video\/|application\/(?:pdf|zip|gzip)$|text\/plain$)/.test(mime) ? mime : 'application/octet-stream';
}

/** @param {number} size @param {number} block @returns {number} length of the block with this number */
export function blockLength(size, block) {
  return Math.max(0, Math.min(BLOCK, size - block * BLOCK));
}

/** Collects chunks until the sender says that a block is complete. */
export class BlockAssembler {
  /** @type {ArrayBuffer[]} */ #chunks = [];
  #held = 0;
  #next = 0;

  /** @param {number} size of the whole file */
  constructor(size) {
    this.size = size;
  }

  /** Bytes of complete blocks. */
  get complete() {
    return Math.min(this.size, this.#next * BLOCK);
  }

  /** @param {ArrayBuffer} chunk @returns {boolean} false: more than the block may hold */
  add(chunk) {
    this.#held += chunk.byteLength;
    if (this.#held > blockLength(this.size, this.#next)) return false;
    this.#chunks.push(chunk);
    return true;
  }

  /** @param {number} block @returns {Uint8Array<ArrayBuffer>|null} the block's bytes; null when they are not what was announced */
  take(block) {
    if (block !== this.#next || this.#held !== blockLength(this.size, block) || this.#held === 0) return null;
    const bytes = new Uint8Array(this.#held);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(new Uint8Array(chunk), at);
      at += chunk.byteLength;
    }
    this.#chunks = [];
    this.#held = 0;
    this.#next += 1;
    return bytes;
  }
}

/**
 * @param {BufferSource} bytes
 * @returns {Promise<string|null>} null where the page has no WebCrypto (plain http)
 */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
