/**
 * All that goes to one peer shares one connection. The lane lets the transfers send in turn, a chunk
 * each, and keeps what lies in the channels' buffers small, so that a new transfer begins at once, a
 * pause is felt at once and the control channel waits behind little; but on a fast connection large enough
 * that it does not run dry while a busy page gets round to filling it. Pure.
 * @module
 */
import { CHUNK } from './protocol.js';
import { Rate } from './rate.js';

/** What lies in all buffers together, on a slow and on a fast connection, and before that is known. */
const LEAST = 8 * CHUNK;
const MOST = 64 * CHUNK;
const FIRST = 16 * CHUNK;
/** How much time the buffers hold, unless that is less than the least. */
const BUFFERED_SECONDS = 0.25;
/** So many chunks fill the buffers. */
const CHUNKS = 16;

/**
 * @typedef {object} Job
 * @property {number} buffered
 * @property {boolean} ready
 * @property {(bytes: number) => void} drainedAt when to be told that its buffer drains
 * @property {(most: number) => number} step sends one chunk; how many bytes
 */

export class Lane {
  /** @type {Job[]} the next one to send is the first */ #jobs = [];
  #rate = new Rate();
  #sent = 0;
  #limit = FIRST;

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
    for (const job of this.#jobs) job.drainedAt(Math.floor(this.#limit / (2 * this.#jobs.length)));
  }

  /** Something changed: a buffer drained, a block was read, the window opened. */
  wake() {
    let buffered = this.#jobs.reduce((sum, job) => sum + job.buffered, 0);
    this.#rate.add(this.clock(), this.#sent - buffered);
    this.#adapt();
    while (buffered < this.#limit) {
      const at = this.#jobs.findIndex((job) => job.ready);
      const [job] = at < 0 ? [] : this.#jobs.splice(at, 1);
      if (!job) return;
      this.#jobs.push(job);
      const bytes = job.step(Math.max(CHUNK, this.#limit / CHUNKS));
      buffered += bytes;
      this.#sent += bytes;
    }
  }

  /** In powers of two, so that it is seldom. */
  #adapt() {
    const rate = this.#rate.perSecond;
    // Messages in the buffers make it negative at the very beginning.
    if (rate <= 0) return;
    const fits = LEAST * 2 ** Math.floor(Math.log2((rate * BUFFERED_SECONDS) / LEAST));
    const limit = Math.max(LEAST, Math.min(MOST, fits));
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#share();
  }
}
