/**
 * What people paste, as one or two descriptions: plain SDP, an RTCSessionDescription as JSON, JSON with
 * SDP somewhere in it (a log, a signaling message), or a string with `\r\n` written out. Pure.
 * @module
 */
import { MAX_CHARACTERS } from './parse.js';

/** @import {Type} from './problems.js' */
/** @typedef {{type: Type, sdp: string}} Pasted */

const MAX_DEPTH = 8;
const MAX_VALUES = 2000;

/** @param {string} text @returns {{pasted: Pasted[], fault: 'tooLong'|'badJson'|'noSdp'|null}} */
export function readPasted(text) {
  const start = text.slice(0, 200).trimStart();
  if (text.length > MAX_CHARACTERS * 2) return { pasted: [], fault: 'tooLong' };
  if (/^[{["]/.test(start)) return fromJson(text);
  if (!text.trim()) return { pasted: [], fault: null };
  // Copied from a log: the line ends are written out.
  const sdp = /\\n[a-z]=/.test(text) && !/\n[a-z]=/.test(text) ? text.replaceAll('\\r', '').replaceAll('\\n', '\r\n') : text;
  return looksLikeSdp(sdp) ? { pasted: [{ type: null, sdp: unindented(sdp) }], fault: null } : { pasted: [], fault: 'noSdp' };
}

/** @param {string} text */
function fromJson(text) {
  try {
    const pasted = descriptionsIn(JSON.parse(text));
    return pasted.length ? { pasted, fault: null } : { pasted, fault: /** @type {const} */ ('noSdp') };
  } catch {
    return { pasted: [], fault: /** @type {const} */ ('badJson') };
  }
}

/** @param {unknown} value @returns {Pasted[]} the first two */
export function descriptionsIn(value) {
  /** @type {Pasted[]} */
  const found = [];
  /** @type {[unknown, number][]} */
  const waiting = [[value, 0]];
  for (let seen = 0; waiting.length > 0 && seen < MAX_VALUES && found.length < 2; seen += 1) {
    const [next, depth] = waiting.shift() ?? [null, 0];
    if (typeof next === 'string' && looksLikeSdp(next)) found.push({ type: null, sdp: next });
    if (typeof next !== 'object' || next === null) continue;
    const { type, sdp } = /** @type {{type?: unknown, sdp?: unknown}} */ (next);
    if (typeof sdp === 'string' && looksLikeSdp(sdp)) found.push({ type: knownType(type), sdp });
    else if (depth < MAX_DEPTH) waiting.push(...Object.values(next).slice(0, MAX_VALUES).map((inner) => /** @type {[unknown, number]} */ ([inner, depth + 1])));
  }
  return found;
}

/** @param {unknown} type @returns {Type} */
export function knownType(type) {
  return type === 'offer' || type === 'answer' || type === 'pranswer' ? type : null;
}

/** @param {string} text */
function looksLikeSdp(text) {
  return text.length <= MAX_CHARACTERS * 2 && /^\s*(?:v=\d|[a-z]=\S)/m.test(text.slice(0, 20_000));
}

/** Pasted out of a chat or a source file, every line may begin with the same blanks. @param {string} text */
function unindented(text) {
  return /^[ \t]+v=/.test(text.replace(/^\s*\n/, '')) ? text.replace(/^\s*\n/, '').replace(/^[ \t]+/gm, '') : text;
}

/** An offer leaves the DTLS role open. @param {string} sdp @returns {Type} */
export function guessType(sdp) {
  if (/^a=setup:actpass\s*$/m.test(sdp)) return 'offer';
  return /^a=setup:(?:active|passive)\s*$/m.test(sdp) ? 'answer' : null;
}
