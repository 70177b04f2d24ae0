/**
 * Payloads of `signal` from one peer to another, one direction: sealed, numbered from 1 without gaps. The
 * signaling layer delivers in order and once, so any other number is the server's doing: a payload that
 * it repeated, moved or kept. Whatever does not fit throws, and the channel is of no more use.
 * @module
 */
import { base64url, concat, fields, fromBase64url, fromUtf8, uint64, utf8 } from './bytes.js';

/** @import {RoomKeys} from './room-keys.js' */
/** @import {Aead} from './crypto.js' */
/** @import {Bytes} from './bytes.js' */
/** @typedef {{id: string, nonce: Bytes}} End */
/** @typedef {{sealed: {n: number, data: string}}} SealedPayload */

/** Somebody between the peers changed, repeated, moved or kept a payload. */
export class Tampered extends Error {}

export class Channel {
  /** @type {Promise<Aead>} */ #key;
  #count = 0;
  #broken = false;

  /** @param {RoomKeys} keys @param {End} from @param {End} to */
  constructor(keys, from, to) {
    this.room = keys.room;
    this.from = from;
    this.to = to;
    this.#key = keys.payloadKey(from, to);
    // Whoever awaits it is told; until then it is nobody's fault.
    this.#key.catch(() => {});
  }

  /** @param {string} text @returns {Promise<SealedPayload>} to be sent in the order of the calls */
  async seal(text) {
    const n = ++this.#count;
    const data = await (await this.#key).seal(nonceOf(n), this.#bound(n), utf8(text));
    return { sealed: { n, data: base64url(data) } };
  }

  /** One call after the other. @param {any} payload as it came @returns {Promise<any>} */
  async open(payload) {
    if (this.#broken) throw new Tampered('after an earlier one');
    try {
      return await this.#open(payload?.sealed);
    } catch (error) {
      this.#broken = true;
      throw error instanceof Tampered ? error : new Tampered('does not open');
    }
  }

  /** @param {any} sealed */
  async #open(sealed) {
    if (typeof sealed !== 'object' || sealed === null) throw new Tampered('not sealed');
    const data = fromBase64url(sealed.data);
    if (sealed.n !== this.#count + 1) throw new Tampered(`number ${sealed.n} instead of ${this.#count + 1}`);
    if (!data) throw new Tampered('no data');
    const text = fromUtf8(await (await this.#key).open(nonceOf(sealed.n), this.#bound(sealed.n), data));
    this.#count += 1;
    return JSON.parse(text);
  }

  /** @param {number} n */
  #bound(n) {
    return fields('talkie payload 1', this.room, this.from.id, this.to.id, uint64(n));
  }
}

/** @param {number} n @returns {Bytes} */
const nonceOf = (n) => concat([new Uint8Array(4), uint64(n)]);
