/**
 * How things become bytes before they are hashed, sealed or bound: text as UTF-8, lists of fields each
 * behind its length, so that no two lists give the same bytes. Pure.
 * @module
 */
import { base64url } from '../names.js';

export { base64url };
/** Bytes over a buffer of their own, as WebCrypto wants them. @typedef {Uint8Array<ArrayBuffer>} Bytes */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param {string} text @returns {Bytes} */
export const utf8 = (text) => encoder.encode(text);
/** Throws when it is none. @param {Uint8Array} bytes */
export const fromUtf8 = (bytes) => decoder.decode(bytes);

/** @param {readonly Uint8Array[]} parts @returns {Bytes} */
export function concat(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Each field behind its length in two bytes, the most significant first. @param {(string|Uint8Array)[]} list @returns {Bytes} */
export function fields(...list) {
  return concat(
    list.flatMap((field) => {
      const bytes = typeof field === 'string' ? utf8(field) : field;
      return [Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes];
    }),
  );
}

/** A number as eight bytes, the most significant first. @param {number} value @returns {Bytes} */
export function uint64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** @param {unknown} text @returns {Bytes|null} null for anything that is not base64url without padding */
export function fromBase64url(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
