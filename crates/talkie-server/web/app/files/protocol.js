/**
 * How files travel from sender S to receiver R. One *offer* is one file or many (a folder); it has a data
 * channel of its own (label `talkie-file`, ordered, reliable) that S opens. Text messages are JSON:
 *
 *     S→R  {type:'offer', id, token, name, mime, size, count, folder}
 *     S→R  {type:'files', from, files:[[path, size], …]}   until `count` are told, 32 kB a message at most
 *     R→S  {type:'accept'}  or  {type:'decline'}
 *     S→R  binary chunks: all files one behind the other in the order of the list, cut into blocks of
 *          1 MiB (the last one shorter); a chunk has any length within its block and the connection's
 *          largest message; after each block {type:'digest', block, sha256}
 *     R→S  {type:'ack', bytes}      everything up to here is checked and handed to the disk
 *     S→R  {type:'end'}             after the last block
 *     R→S  {type:'done', verified}  then S closes the channel
 *     any  {type:'pause', paused}   S stops after the chunk at hand while either side wants it
 *     any  {type:'cancel', reason}
 *
 * S keeps at most WINDOW bytes unacknowledged, so a slow disk slows S and fills no memory. Who gives no
 * digest sends null, then the offer arrives unverified.
 *
 * A channel that closes without `done` or `cancel` ends nothing. For RESUME_MS both sides keep what they
 * have; S opens a channel on the next link and both prove that they know the offer's token, on this very
 * connection (proof.js):
 *
 *     S→R  {type:'again', id, nonce}
 *     R→S  {type:'known', nonce, proof}   or  {type:'cancel', reason:'unknown'}
 *     S→R  {type:'prove', proof}
 *     R→S  {type:'at', bytes}             a whole number of blocks, or everything: S goes on from there
 *
 * Pure: parsing and limits.
 * @module
 */
import { cleanSegment } from './paths.js';

export const FILE_CHANNEL = 'talkie-file';
export const BLOCK = 1 << 20;
export const WINDOW = 8 * BLOCK;
/** What everybody takes in one message (RFC 8841 §6.1), and small enough to share a slow connection fairly. */
export const CHUNK = 1 << 16;
/** On a fast connection: fewer messages are less work at both ends. Chromium takes no larger ones. */
export const LARGE_CHUNK = 1 << 18;

export const FILES_LIMIT = 10_000;
/** The room that the list of one offer may take: 200 characters a file. */
export const LIST_LIMIT = 2_000_000;
export const BYTES_LIMIT = 2 ** 42;
const MESSAGE_LIMIT = 65_536;
/** How long either side waits for the other to come back. */
export const RESUME_MS = 5 * 60_000;

/**
 * @typedef {{type: 'offer', id: string, token: string, name: string, mime: string, size: number, count: number, folder: boolean}} Offer
 * @typedef {Offer
 *   | {type: 'files', from: number, files: [string, number][]}
 *   | {type: 'accept'} | {type: 'decline'} | {type: 'end'}
 *   | {type: 'digest', block: number, sha256: string|null}
 *   | {type: 'ack', bytes: number}
 *   | {type: 'pause', paused: boolean}
 *   | {type: 'done', verified: boolean|null}
 *   | {type: 'cancel', reason: string}
 *   | {type: 'again', id: string, nonce: string}
 *   | {type: 'known', nonce: string, proof: string}
 *   | {type: 'prove', proof: string}
 *   | {type: 'at', bytes: number}} FileMessage
 */

/** Reasons that one side may give the other; anything else reads as `protocol`. */
const REASONS = new Set(['left', 'changed', 'damaged', 'protocol', 'storage', 'too-big', 'too-many', 'list', 'busy', 'stalled', 'unknown', 'cancelled']);

/** @type {Record<string, (m: any) => FileMessage|null>} */
const PARSERS = {
  offer: parseOffer,
  files: parseFiles,
  accept: () => ({ type: 'accept' }),
  decline: () => ({ type: 'decline' }),
  end: () => ({ type: 'end' }),
  digest: (m) => (isSize(m.block) ? { type: 'digest', block: m.block, sha256: isHex(m.sha256, 64) ? m.sha256 : null } : null),
  ack: (m) => (isSize(m.bytes) ? { type: 'ack', bytes: m.bytes } : null),
  at: (m) => (isSize(m.bytes) ? { type: 'at', bytes: m.bytes } : null),
  pause: (m) => ({ type: 'pause', paused: m.paused === true }),
  done: (m) => ({ type: 'done', verified: typeof m.verified === 'boolean' ? m.verified : null }),
  cancel: (m) => ({ type: 'cancel', reason: REASONS.has(m.reason) ? m.reason : 'protocol' }),
  again: (m) => (isHex(m.id, 32) && isHex(m.nonce, 32) ? { type: 'again', id: m.id, nonce: m.nonce } : null),
  known: (m) => (isHex(m.nonce, 32) && isHex(m.proof, 64) ? { type: 'known', nonce: m.nonce, proof: m.proof } : null),
  prove: (m) => (isHex(m.proof, 64) ? { type: 'prove', proof: m.proof } : null),
};

/**
 * @param {string} text
 * @returns {FileMessage|null} null for what is no message of this protocol
 */
export function parseFileMessage(text) {
  if (text.length > MESSAGE_LIMIT) return null;
  let m;
  try {
    m = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof m !== 'object' || m === null || typeof m.type !== 'string') return null;
  return Object.hasOwn(PARSERS, m.type) ? (PARSERS[m.type]?.(m) ?? null) : null;
}

/** @param {any} m @returns {Offer|null} */
function parseOffer(m) {
  if (!isHex(m.id, 32) || !isHex(m.token, 64) || typeof m.name !== 'string') return null;
  if (!isSize(m.size) || !isSize(m.count) || m.count < 1) return null;
  const { id, token, size, count } = m;
  return { type: 'offer', id, token, name: cleanSegment(m.name), mime: cleanMime(m.mime), size, count, folder: m.folder === true };
}

/** @param {any} m @returns {FileMessage|null} */
function parseFiles(m) {
  if (!isSize(m.from) || !Array.isArray(m.files)) return null;
  const fine = m.files.every((/** @type {any} */ file) => Array.isArray(file) && file.length === 2 && typeof file[0] === 'string' && isSize(file[1]));
  return fine ? { type: 'files', from: m.from, files: m.files } : null;
}

/** @param {unknown} n @returns {n is number} */
const isSize = (n) => Number.isSafeInteger(n) && /** @type {number} */ (n) >= 0;

/** @param {unknown} text @param {number} length */
const isHex = (text, length) => typeof text === 'string' && text.length === length && /^[0-9a-f]*$/.test(text);

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

/** @param {number} bytes how many @returns {string} that many random bytes in hex */
export function randomHex(bytes) {
  return hex(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
