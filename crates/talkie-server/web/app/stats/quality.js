/**
 * Bars from 0 to 4 for how a connection serves a conversation. Each of round-trip time, loss (the worse
 * direction) and jitter is judged by itself and the worst decides:
 *
 *     bars   RTT up to   loss up to   jitter up to
 *      4       150 ms       1 %          30 ms
 *      3       250 ms       3 %          50 ms
 *      2       400 ms       8 %         100 ms
 *      1       800 ms      20 %         200 ms
 *      0     beyond any of these
 *
 * 150 ms and 400 ms one way are where ITU-T G.114 sees the borders of good and acceptable; half of that
 * is left for the jitter buffer and the devices. Hysteresis: worse is shown when two samples running say
 * so, better when four do, and then by the least that they agree on. Pure.
 * @module
 */

/** @import {Sample} from './sample.js' */

const STEPS = [
  { bars: 4, rtt: 150, loss: 1, jitter: 30 },
  { bars: 3, rtt: 250, loss: 3, jitter: 50 },
  { bars: 2, rtt: 400, loss: 8, jitter: 100 },
  { bars: 1, rtt: 800, loss: 20, jitter: 200 },
];
const WORSE_AFTER = 2;
const BETTER_AFTER = 4;

/**
 * @param {Sample} sample
 * @returns {number|null} null when nothing is known to judge by
 */
export function barsOf(sample) {
  const loss = worst(sample.in.loss, sample.out.loss);
  const jitter = worst(sample.in.jitter, sample.out.jitter);
  if (sample.rtt === null && loss === null) return null;
  const step = STEPS.find((s) => (sample.rtt ?? 0) <= s.rtt && (loss ?? 0) <= s.loss && (jitter ?? 0) <= s.jitter);
  return step?.bars ?? 0;
}

/** @param {number|null} a @param {number|null} b */
const worst = (a, b) => (a === null ? b : b === null ? a : Math.max(a, b));

export class Quality {
  /** @type {number|null} */ bars = null;
  /** @type {number[]} */ #recent = [];

  /** @param {Sample} sample @returns {number|null} what is to be shown */
  observe(sample) {
    const bars = barsOf(sample);
    if (bars === null) return this.bars;
    this.#recent = [...this.#recent, bars].slice(-BETTER_AFTER);
    if (this.bars === null) this.bars = bars;
    const worse = Math.max(...this.#recent.slice(-WORSE_AFTER));
    const better = Math.min(...this.#recent);
    if (this.#recent.length >= WORSE_AFTER && worse < this.bars) this.bars = worse;
    else if (this.#recent.length >= BETTER_AFTER && better > this.bars) this.bars = better;
    return this.bars;
  }
}
