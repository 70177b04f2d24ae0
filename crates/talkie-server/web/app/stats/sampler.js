/**
 * Asks every link how it goes, all with one timer: every two seconds, every second while somebody looks.
 * What comes of it: the history of each peer, its bars, and the way its packets take (peer/monitor.js).
 * Those who left keep their history for the export, a bounded number of them.
 * @module
 */
import { History } from './history.js';
import { Quality } from './quality.js';
import { read } from './read.js';
import { sampleOf } from './sample.js';

/** @import {CallContext} from '../session/feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {Reading} from './read.js' */

const EVERY_MS = 2000;
const WATCHED_MS = 1000;
/** Two readings nearer than this make rates of chance. */
const APART_MS = 500;
const DEPARTED_KEPT = 16;

/**
 * @typedef {object} Record what is known of one peer
 * @property {string} key
 * @property {Link['trace']} trace
 * @property {History} history
 * @property {Quality} quality
 * @property {Reading|null} reading the latest
 * @property {Reading|null} base what the next sample is reckoned from
 */

export class Sampler {
  /** @type {Map<string, Record>} */ #records = new Map();
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;

  /**
   * @param {CallContext} context
   * @param {(link: Link, reading: Reading, quality: number|null) => void} seen
   */
  constructor(context, seen) {
    this.context = context;
    this.seen = seen;
    this.#beat();
  }

  get records() {
    return [...this.#records.values()];
  }

  /** @param {string} key */
  record(key) {
    return this.#records.get(key) ?? null;
  }

  /** Somebody looks: twice as often, and told of every round. @param {() => void} watcher @returns {() => void} */
  watch(watcher) {
    this.#watchers.add(watcher);
    this.#beat();
    return () => {
      this.#watchers.delete(watcher);
      this.#beat();
    };
  }

  /** @param {Link} link */
  added({ key, trace }) {
    this.#records.set(key, { key, trace, history: new History(), quality: new Quality(), reading: null, base: null });
  }

  /** @param {Link} link */
  connected(link) {
    void this.sample(link);
  }

  /** @param {Link} link */
  opened(link) {
    void this.sample(link);
  }

  removed() {
    const there = new Set(this.context.links().map((link) => link.key));
    const departed = [...this.#records.keys()].filter((key) => !there.has(key));
    for (const key of departed.slice(0, -DEPARTED_KEPT)) this.#records.delete(key);
  }

  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watchers.clear();
  }

  /** @param {Link} link */
  async sample(link) {
    const record = this.#records.get(link.key);
    const report = await link.pc?.getStats().catch(() => null);
    if (!report || !record || link.closed) return;
    /** @type {any[]} */
    const entries = [];
    report.forEach((entry) => entries.push(entry));
    const reading = read(entries, { camera: link.slots.get('camera')?.mid ?? null, screen: link.slots.get('screen')?.mid ?? null });
    if (reading.pair && record.history.pair(reading.at, reading.pair)) link.trace.note('path', wayOf(reading));
    const sample = record.base && reading.at - record.base.at >= APART_MS ? sampleOf(record.base, reading) : null;
    if (sample) record.history.add(sample);
    if (sample || !record.base) record.base = reading;
    record.reading = reading;
    this.seen(link, reading, sample ? record.quality.observe(sample) : record.quality.bars);
  }

  #beat() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#round(), this.#watchers.size > 0 ? WATCHED_MS : EVERY_MS);
  }

  async #round() {
    await Promise.all(this.context.links().filter((link) => link.connected).map((link) => this.sample(link)));
    for (const watcher of this.#watchers) watcher();
  }
}

/** @param {Reading} reading */
const wayOf = ({ path, pair }) => [path?.kind, path?.via, pair && `${pair.local.type}–${pair.remote.type}`].filter(Boolean).join(' ');
