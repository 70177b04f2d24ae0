/**
 * Rate and time left, smoothed so that the figures can be read: an average over the last seconds.
 * @module
 */

const SPAN_MS = 4000;

export class Rate {
  /** @type {{at: number, bytes: number}[]} */ #samples = [];

  /** @param {number} now in milliseconds @param {number} bytes so far */
  add(now, bytes) {
    this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? now) < now - SPAN_MS) this.#samples.shift();
  }

  /** @returns {number} bytes per second */
  get perSecond() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }
}

/** @param {number} size @param {number} bytes @param {number} rate @returns {number} seconds, Infinity when unknown */
export function secondsLeft(size, bytes, rate) {
  return rate > 0 ? Math.max(0, size - bytes) / rate : Infinity;
}
