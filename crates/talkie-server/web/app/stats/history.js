/**
 * The samples of one peer for the whole call, in bounded memory: the last hour as it was measured (one
 * every two seconds), what is older with every second sample left out again and again. Pure.
 * @module
 */

/** @import {Sample} from './sample.js' */
/** @import {PairReading} from './read.js' */

/** An hour of a sample every two seconds. */
const RECENT = 1800;
/** As many for all the time before it. */
const OLD = 1800;
const PAIRS = 50;

export class History {
  /** @type {Sample[]} */ #old = [];
  /** @type {Sample[]} */ #recent = [];
  /** @type {{at: number, pair: PairReading}[]} */ pairs = [];
  /** Of those that go over to the old ones, one in so many is kept. */
  #keep = 1;
  #passed = 0;

  get samples() {
    return [...this.#old, ...this.#recent];
  }

  /** @returns {Sample|undefined} */
  get latest() {
    return this.#recent.at(-1);
  }

  /** @param {number} n */
  last(n) {
    return n <= this.#recent.length ? this.#recent.slice(-n) : this.samples.slice(-n);
  }

  /** @param {Sample} sample */
  add(sample) {
    this.#recent.push(sample);
    if (this.#recent.length <= RECENT) return;
    const passing = this.#recent.shift();
    if (passing && this.#passed++ % this.#keep === 0) this.#old.push(passing);
    if (this.#old.length <= OLD) return;
    this.#old = this.#old.filter((_, at) => at % 2 === 0);
    this.#keep *= 2;
  }

  /** The pair in use, when it is another one. @param {number} at @param {PairReading} pair @returns {boolean} whether it is */
  pair(at, pair) {
    const last = this.pairs.at(-1)?.pair;
    if (last && same(last, pair)) return false;
    this.pairs.push({ at: Math.round(at), pair });
    if (this.pairs.length > PAIRS) this.pairs.shift();
    return true;
  }
}

/** @param {PairReading} a @param {PairReading} b */
const same = (a, b) => a.id === b.id && a.local.type === b.local.type && a.remote.type === b.remote.type;
