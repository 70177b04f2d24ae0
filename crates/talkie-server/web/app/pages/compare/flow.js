/**
 * Filling a lane, and counting what arrives of that at its other end.
 * @module
 */
import { loadFrame, LOAD_BYTES } from './frames.js';

/** @import {Lane} from './lane.js' */

/** How often it is looked whether anything still arrives. */
const LOOK_EVERY_MS = 100;

/**
 * Sends until the time or the bytes are used up, and all of it has left the browser.
 * @param {Lane} lane
 * @param {{ms: number, bytes: number}} limit
 * @param {AbortSignal} signal
 */
export async function fill(lane, { ms, bytes }, signal) {
  const frame = loadFrame();
  const until = performance.now() + ms;
  for (let sent = 0; sent < bytes && performance.now() < until && !signal.aborted; sent += LOAD_BYTES) {
    await lane.room();
    if (!lane.send(frame)) return;
  }
}

/** Counts from the first byte to the last. */
export class Counter {
  bytes = 0;
  #first = 0;
  #last = 0;

  /** @param {Lane} lane */
  constructor(lane) {
    lane.on.load = (bytes) => {
      this.#last = performance.now();
      // What came first was under way before the clock began.
      if (this.#first === 0) this.#first = this.#last;
      else this.bytes += bytes;
    };
  }

  get ms() {
    return this.#last - this.#first;
  }

  /**
   * Resolves when nothing has come for a while, or nothing came at all.
   * @param {{quiet: number, atLeast: number, atMost: number}} limit in milliseconds
   * @param {AbortSignal} signal
   */
  async settled({ quiet, atLeast, atMost }, signal) {
    const start = performance.now();
    for (;;) {
      await pause(LOOK_EVERY_MS);
      const now = performance.now();
      if (signal.aborted || now - start > atMost) return;
      if (now - start > atLeast && now - this.#last > quiet) return;
    }
  }
}

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
