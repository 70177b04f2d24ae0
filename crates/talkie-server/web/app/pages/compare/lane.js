/**
 * The ways between the two ends, each with the same few verbs: the WebSocket through the server, and
 * data channels. `room` waits until little is queued, so that a measurement fills the pipe and not the
 * browser's memory.
 * @module
 */
import { parseFrame } from './frames.js';

/** @import {Words} from './frames.js' */

const QUEUED = 262_144;

/**
 * @typedef {object} Lane
 * @property {(frame: Uint8Array<ArrayBuffer>) => boolean} send false: it is not open
 * @property {() => Promise<void>} room resolves when more may be sent
 * @property {() => number} queued bytes that wait in the browser
 * @property {{words?: (words: Words) => void, ping?: (number: number) => void, pong?: (number: number) => void, load?: (bytes: number) => void}} on
 *   who listens to which kind of frame
 */

/**
 * @param {WebSocket|RTCDataChannel} pipe
 * @param {(wake: () => void) => void} whenLow calls `wake` when less is queued
 * @returns {Lane}
 */
function lane(pipe, whenLow) {
  pipe.binaryType = 'arraybuffer';
  /** @type {Lane} */
  const made = {
    on: {},
    queued: () => pipe.bufferedAmount,
    send(frame) {
      const open = pipe.readyState === 'open' || pipe.readyState === 1;
      if (open) pipe.send(frame);
      return open;
    },
    room: () => (pipe.bufferedAmount < QUEUED ? Promise.resolve() : new Promise((wake) => whenLow(() => wake()))),
  };
  pipe.addEventListener('message', (/** @type {any} */ event) => {
    const frame = parseFrame(event.data);
    if (!frame) return;
    if (frame.kind === 'words') made.on.words?.(frame.words);
    else if (frame.kind === 'load') made.on.load?.(frame.bytes);
    else made.on[frame.kind]?.(frame.number);
  });
  return made;
}

/** @param {WebSocket} socket @returns {Lane} */
export function socketLane(socket) {
  // A WebSocket tells nobody when its queue shrinks.
  return lane(socket, (wake) => {
    const timer = setInterval(() => {
      if (socket.bufferedAmount >= QUEUED && socket.readyState === WebSocket.OPEN) return;
      clearInterval(timer);
      wake();
    }, 4);
  });
}

/** @param {RTCDataChannel} channel @returns {Lane} */
export function channelLane(channel) {
  channel.bufferedAmountLowThreshold = QUEUED / 2;
  return lane(channel, (wake) => {
    channel.addEventListener('bufferedamountlow', wake, { once: true });
    channel.addEventListener('close', wake, { once: true });
  });
}
