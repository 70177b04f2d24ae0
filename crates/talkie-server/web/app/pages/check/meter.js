/**
 * Figures from measurements: round trips, loss, rates. Pure.
 * @module
 */
import { quantile } from '../quantile.js';

/** @typedef {{at: number, rtt: number}} Ping `at`: ms since the first was sent */
/** @typedef {{count: number, lost: number, min: number, median: number, p95: number, max: number}} Trips in ms */

/** @param {readonly Ping[]} pings those that came back @param {number} sent @returns {Trips|null} null: none came back */
export function trips(pings, sent) {
  if (pings.length === 0) return null;
  const times = pings.map(({ rtt }) => rtt);
  return { count: sent, lost: sent - pings.length, min: Math.min(...times), median: quantile(times, 0.5), p95: quantile(times, 0.95), max: Math.max(...times) };
}

/** @typedef {{received: number, lost: number, jitter: number, frames: number}} Inbound jitter in ms */

/**
 * @param {Iterable<Record<string, any>>} stats of the receiving side
 * @param {'audio'|'video'} kind
 * @returns {Inbound|null}
 */
export function inbound(stats, kind) {
  for (const stat of stats) {
    if (stat.type !== 'inbound-rtp' || stat.kind !== kind) continue;
    return { received: stat.packetsReceived ?? 0, lost: Math.max(0, stat.packetsLost ?? 0), jitter: (stat.jitter ?? 0) * 1000, frames: stat.framesDecoded ?? 0 };
  }
  return null;
}

/** In percent. @param {number} lost @param {number} received */
export function lossShare(lost, received) {
  return lost + received === 0 ? 0 : (100 * lost) / (lost + received);
}

/** @param {number} bytes @param {number} ms @returns {number} Mbit/s */
export function megabits(bytes, ms) {
  return ms > 0 ? (bytes * 8) / 1000 / ms : 0;
}
