/**
 * The safety number of two peers: twelve digits over the DTLS fingerprints that both sides applied and a
 * random value from each. The impolite side commits to its value before it sees the other's, so that
 * somebody in the middle, with a connection to each side, has one guess in 10^12 to make both numbers
 * the same (as ZRTP does it, RFC 6189 §4.4.1.1). Pure but for the hash that it is given.
 * @module
 */
import { fields, sameBytes } from './bytes.js';

/** @import {Bytes} from './bytes.js' */
/** @import {Crypto} from './crypto.js' */

const DIGITS = 12;
const GROUP = 3;

/** All fingerprints that some descriptions name, sorted, each once. @param {(string|undefined)[]} descriptions SDP */
export function fingerprintsOf(...descriptions) {
  const found = descriptions.flatMap((sdp) => [...(sdp ?? '').matchAll(/^a=fingerprint:\s*(\S+)\s+([0-9a-f:]+)\s*$/gim)]);
  return [...new Set(found.map(([, hash = '', value = '']) => `${hash.toLowerCase()} ${value.toUpperCase()}`))].sort();
}

/** @param {Crypto} crypto @param {Bytes} value */
export const commitmentTo = (crypto, value) => crypto.sha256(fields('talkie safety commitment 1', value));

/** @param {Crypto} crypto @param {Bytes} commitment @param {Bytes} value */
export async function keeps(crypto, commitment, value) {
  return sameBytes(await commitmentTo(crypto, value), commitment);
}

/**
 * @param {Crypto} crypto
 * @param {readonly string[]} fingerprints sorted
 * @param {Bytes} committed the impolite side's value
 * @param {Bytes} answered the polite side's
 * @returns {Promise<string>} four groups of three digits
 */
export async function safetyNumber(crypto, fingerprints, committed, answered) {
  const digest = await crypto.sha256(fields('talkie safety number 1', ...fingerprints, committed, answered));
  // 64 bits: what the remainder prefers by them is beyond all measure.
  const number = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0) % 10n ** BigInt(DIGITS);
  const digits = number.toString().padStart(DIGITS, '0');
  return Array.from({ length: DIGITS / GROUP }, (_, i) => digits.slice(i * GROUP, (i + 1) * GROUP)).join(' ');
}
