/**
 * What the two ends of a comparison send each other: binary messages, the same over a WebSocket and over
 * a data channel, so that neither has the lighter load. The first byte is the kind:
 *
 *     0 JSON   words between the ends, over the socket only
 *     1 ping   a number of four bytes; answered at once, over the same way, by
 *     2 pong   with that number
 *     3 load   bytes that fill the pipe
 *
 * Pure. What comes in is judged here.
 * @module
 */

const KIND = { words: 0, ping: 1, pong: 2, load: 3 };
/** As much as every data channel takes in one message, and what a WebSocket gets as well. */
export const LOAD_BYTES = 16_384;
const WORDS_BYTES = 60_000;

/** @typedef {'socket'|'channel'} Way */

/**
 * @typedef {{type: 'hello', leads: boolean, draw: number}
 *   | {type: 'description', description: RTCSessionDescriptionInit}
 *   | {type: 'candidate', candidate: RTCIceCandidateInit}
 *   | {type: 'fill', way: Way, ms: number, bytes: number}
 *   | {type: 'count', way: Way}
 *   | {type: 'counted', bytes: number, ms: number}} Words
 */

/** @param {Words} words @returns {Uint8Array<ArrayBuffer>} */
export function wordsFrame(words) {
  const text = new TextEncoder().encode(JSON.stringify(words));
  const frame = new Uint8Array(text.length + 1);
  frame.set(text, 1);
  return frame;
}

/** @param {'ping'|'pong'} kind @param {number} number @returns {Uint8Array<ArrayBuffer>} */
export function pingFrame(kind, number) {
  const frame = new Uint8Array(5);
  frame[0] = KIND[kind];
  new DataView(frame.buffer).setUint32(1, number);
  return frame;
}

/** @returns {Uint8Array<ArrayBuffer>} bytes that do not compress */
export function loadFrame() {
  const frame = crypto.getRandomValues(new Uint8Array(LOAD_BYTES));
  frame[0] = KIND.load;
  return frame;
}

/**
 * @typedef {{kind: 'words', words: Words} | {kind: 'ping'|'pong', number: number} | {kind: 'load', bytes: number}} Frame
 */

/** @param {unknown} data @returns {Frame|null} null for what is no frame */
export function parseFrame(data) {
  if (!(data instanceof ArrayBuffer) || data.byteLength === 0) return null;
  const bytes = new Uint8Array(data);
  switch (bytes[0]) {
    case KIND.words: {
      const words = bytes.length <= WORDS_BYTES ? parseWords(bytes.subarray(1)) : null;
      return words && { kind: 'words', words };
    }
    case KIND.ping:
    case KIND.pong:
      if (bytes.length !== 5) return null;
      return { kind: bytes[0] === KIND.ping ? 'ping' : 'pong', number: new DataView(data).getUint32(1) };
    case KIND.load:
      return { kind: 'load', bytes: bytes.length };
    default:
      return null;
  }
}

/** @param {Uint8Array} bytes @returns {Words|null} */
function parseWords(bytes) {
  let m;
  try {
    m = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  if (typeof m !== 'object' || m === null) return null;
  switch (m.type) {
    case 'hello':
      return { type: 'hello', leads: m.leads === true, draw: amount(m.draw, 1) ?? 0 };
    case 'description':
      return typeof m.description?.sdp === 'string' && ['offer', 'answer'].includes(m.description.type)
        ? { type: 'description', description: { type: m.description.type, sdp: m.description.sdp } }
        : null;
    case 'candidate':
      return typeof m.candidate === 'object' && m.candidate !== null ? { type: 'candidate', candidate: m.candidate } : null;
    case 'fill': {
      const [ms, count] = [amount(m.ms, 30_000), amount(m.bytes, 1e8)];
      return isWay(m.way) && ms !== null && count !== null ? { type: 'fill', way: m.way, ms, bytes: count } : null;
    }
    case 'count':
      return isWay(m.way) ? { type: 'count', way: m.way } : null;
    case 'counted': {
      const [ms, count] = [amount(m.ms, 120_000), amount(m.bytes, 1e9)];
      return ms !== null && count !== null ? { type: 'counted', bytes: count, ms } : null;
    }
    default:
      return null;
  }
}

/** @param {unknown} way @returns {way is Way} */
const isWay = (way) => way === 'socket' || way === 'channel';

/** @param {unknown} n @param {number} most */
const amount = (n, most) => (typeof n === 'number' && n >= 0 && n <= most ? n : null);
