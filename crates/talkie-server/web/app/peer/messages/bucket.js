/**
 * A bound on how often somebody may do something: so many at once, and one more every so often (a token
 * bucket). Pure.
 * @module
 */

export class Bucket {
  #tokens;
  #at = 0;

  /** @param {{burst: number, everyMs: number}} rate */
  constructor({ burst, everyMs }) {
    this.burst = burst;
    this.everyMs = everyMs;
    this.#tokens = burst;
  }

  /** @param {number} now in milliseconds */
  admit(now) {
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#at) / this.everyMs);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
