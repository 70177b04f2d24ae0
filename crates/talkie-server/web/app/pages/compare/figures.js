/**
 * From single round trips to what is worth saying of them. Pure.
 * @module
 */
import { quantile } from '../quantile.js';

/** @typedef {{at: number, ms: number|null}} Trip `at`: when it began, in ms; `ms` null: no answer came */

/**
 * @typedef {object} Summary of round trips, in milliseconds
 * @property {number} count answered ones
 * @property {number} lost share of those without an answer, 0 to 1
 * @property {number} median
 * @property {number} p95
 * @property {number} jitter mean difference from one to the next
 */

/** @param {readonly Trip[]} trips @returns {Summary|null} null when none was answered */
export function summary(trips) {
  const answered = trips.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  if (answered.length === 0) return null;
  const steps = answered.slice(1).map((ms, i) => Math.abs(ms - (answered[i] ?? ms)));
  return {
    count: answered.length,
    lost: 1 - answered.length / trips.length,
    median: quantile(answered, 0.5),
    p95: quantile(answered, 0.95),
    jitter: steps.reduce((sum, step) => sum + step, 0) / Math.max(1, steps.length),
  };
}

/**
 * Which of two is better, and how clearly. Below a tenth of a difference (or a millisecond) they are even.
 * @param {number} a
 * @param {number} b
 * @param {number} [apart] a difference below which nobody notices
 * @returns {{better: 'a'|'b'|'even', times: number}}
 */
export function contest(a, b, apart = 0) {
  const [small, large] = a < b ? [a, b] : [b, a];
  const times = small > 0 ? large / small : Infinity;
  if (times < 1.1 || large - small <= apart) return { better: 'even', times };
  return { better: a < b ? 'a' : 'b', times };
}
