/**
 * Blocks: the unit that is checked and acknowledged. Puts chunks together, and hashes; where the page
 * has no WebCrypto (plain http) a vendored implementation does it.
 * @module
 */
import { BLOCK, blockLength, hex } from './protocol.js';

/** Collects chunks until the sender says that a block is complete. */
export class BlockAssembler {
  /** @type {Uint8Array<ArrayBuffer>|null} */ #block = null;
  #held = 0;
  #next = 0;

  /** @param {number} size of the whole offer */
  constructor(size) {
    this.size = size;
  }

  /** Bytes of complete blocks. */
  get complete() {
    return Math.min(this.size, this.#next * BLOCK);
  }

  /** @param {ArrayBuffer} chunk @returns {boolean} false: more than the block may hold, or nothing */
  add(chunk) {
    const length = blockLength(this.size, this.#next);
    if (chunk.byteLength === 0 || this.#held + chunk.byteLength > length) return false;
    this.#block ??= new Uint8Array(length);
    this.#block.set(new Uint8Array(chunk), this.#held);
    this.#held += chunk.byteLength;
    return true;
  }

  /** @param {number} block @returns {Uint8Array<ArrayBuffer>|null} the block's bytes; null when they are not what was announced */
  take(block) {
    const bytes = this.#block;
    if (!bytes || block !== this.#next || this.#held !== bytes.byteLength) return null;
    this.forget();
    this.#next += 1;
    return bytes;
  }

  /** Drops the block that has begun: it will come again. */
  forget() {
    this.#block = null;
    this.#held = 0;
  }
}

/** @param {BufferSource} bytes @returns {Promise<string>} */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return hex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
  const hashes = await import('../../vendor/noble/hashes/sha2.js');
  return hex(hashes.sha256(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : /** @type {Uint8Array} */ (bytes)));
}
