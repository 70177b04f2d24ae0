/**
 * All that goes to one peer shares one connection. The lane lets the transfers send in turn, a chunk
 * each, and keeps what lies in the channels' buffers small, so that a new transfer begins at once, a
 * pause is felt at once and the control channel waits behind little. Pure.
 * @module
 */
import { CHUNK } from './protocol.js';
import { Rate } from './rate.js';

/** What lies in all buffers together, on a slow and on a fast connection. */
const LEAST = 8 * CHUNK;
const MOST = 16 * CHUNK;
/** A slow connection may hold this much time in its buffers. */
const BUFFERED_SECONDS = 0.25;

/**
 * @typedef {object} Job
 * @property {number} buffered
 * @property {boolean} ready
 * @property {(bytes: number) => void} drainedAt when to be told that its buffer drains
 * @property {() => number} step sends one chunk; how many bytes
 */

export class Lane {
  /** @type {Job[]} the next one to send is the first */ #jobs = [];
  #rate = new Rate();
  #sent = 0;

  /** @param {() => number} [clock] in milliseconds */
  constructor(clock = () => performance.now()) {
    this.clock = clock;
  }

  /** @param {Job} job */
  add(job) {
    if (!this.#jobs.includes(job)) this.#jobs.push(job);
    this.#share();
    this.wake();
  }

  /** @param {Job} job */
  remove(job) {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#share();
    this.wake();
  }

  /** Full buffers mean that one of them holds more than this, so somebody will say that it drained. */
  #share() {
    for (const job of this.#jobs) job.drainedAt(Math.floor(LEAST / (2 * this.#jobs.length)));
  }

  /** Something changed: a buffer drained, a block was read, the window opened. */
  wake() {
    let buffered = this.#jobs.reduce((sum, job) => sum + job.buffered, 0);
    const limit = this.#limit();
    while (buffered < limit) {
      const at = this.#jobs.findIndex((job) => job.ready);
      const [job] = at < 0 ? [] : this.#jobs.splice(at, 1);
      if (!job) return;
      this.#jobs.push(job);
      const bytes = job.step();
      buffered += bytes;
      this.#sent += bytes;
    }
    this.#rate.add(this.clock(), this.#sent - buffered);
  }

  #limit() {
    const rate = this.#rate.perSecond;
    return rate === 0 ? MOST : Math.max(LEAST, Math.min(MOST, rate * BUFFERED_SECONDS));
  }
}
