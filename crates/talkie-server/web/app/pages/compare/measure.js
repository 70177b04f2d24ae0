/**
 * The measurement itself. The leader sends pings over all ways in turn, so that each meets the same
 * network at the same time; then each way is filled, one after the other, first away from the leader and
 * then towards it, with pings on the way that is being filled. The other end answers and counts. All of
 * it together stays below what the server lets one pair have.
 * @module
 */
import { Counter, fill, pause } from './flow.js';
import { answerPings, Pinger } from './ping.js';

/** @import {End, Lanes} from './end.js' */
/** @import {Trip} from './figures.js' */
/** @import {Way} from './frames.js' */

const PINGS = 150;
const PING_EVERY_MS = 40;
const BUSY_PING_EVERY_MS = 100;
const FILL = { ms: 4000, bytes: 24 << 20 };
/** A way that delivers nothing for so long has delivered all. */
const SETTLED = { quiet: 700, atLeast: 1500, atMost: 15_000 };
/** Pings take this part of the progress; each of the four flows a quarter of the rest. */
const PINGS_SHARE = 0.3;

/** @typedef {keyof Lanes} LaneName */
/** @typedef {'away'|'back'} Direction */
/** @typedef {{way: Way, direction: Direction, bytes: number, ms: number}} Flow */

/**
 * @typedef {object} Results
 * @property {Record<LaneName, Trip[]>} idle
 * @property {Record<Way, Trip[]>} busy round trips while the way was being filled
 * @property {Flow[]} flows
 */

/** @type {LaneName[]} */
const LANES = ['socket', 'channel', 'loose'];
/** @type {[Way, Direction][]} */
const FLOWS = [['socket', 'away'], ['socket', 'back'], ['channel', 'away'], ['channel', 'back']];

/**
 * @param {End} end that leads, with its lanes open
 * @param {(results: Results, done: number) => void} progress `done` from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Results>}
 */
export async function measure(end, progress, signal) {
  const lanes = /** @type {Lanes} */ (end.lanes);
  /** @type {Results} */
  const results = { idle: { socket: [], channel: [], loose: [] }, busy: { socket: [], channel: [] }, flows: [] };
  const start = performance.now();
  await pingInTurn(lanes, results, start, (done) => progress(results, done * PINGS_SHARE), signal);
  for (const [at, [way, direction]] of FLOWS.entries()) {
    signal.throwIfAborted();
    const pinger = new Pinger(lanes[way], start);
    const timer = setInterval(() => pinger.ping(), BUSY_PING_EVERY_MS);
    try {
      const { bytes, ms } = await (direction === 'away' ? fillAway(end, way, signal) : fillBack(end, way, signal));
      results.flows.push({ way, direction, bytes, ms });
    } finally {
      clearInterval(timer);
    }
    results.busy[way].push(...pinger.trips.filter((trip) => trip.ms !== null));
    progress(results, PINGS_SHARE + ((at + 1) / FLOWS.length) * (1 - PINGS_SHARE));
  }
  return results;
}

/**
 * @param {Lanes} lanes
 * @param {Results} results
 * @param {number} start
 * @param {(done: number) => void} progress
 * @param {AbortSignal} signal
 */
async function pingInTurn(lanes, results, start, progress, signal) {
  const pingers = LANES.map((name) => {
    const pinger = new Pinger(lanes[name], start);
    results.idle[name] = pinger.trips;
    return pinger;
  });
  for (let n = 0; n < PINGS; n += 1) {
    signal.throwIfAborted();
    for (let i = 0; i < pingers.length; i += 1) {
      // Each time another one goes first.
      pingers[(n + i) % pingers.length]?.ping();
      await pause(PING_EVERY_MS / pingers.length);
    }
    if (n % 5 === 0) progress(n / PINGS);
  }
  await pause(500);
}

/** @param {End} end @param {Way} way @param {AbortSignal} signal @returns {Promise<{bytes: number, ms: number}>} */
async function fillAway(end, way, signal) {
  const lane = /** @type {Lanes} */ (end.lanes)[way];
  /** @type {{bytes: number, ms: number}|null} */
  let counted = null;
  end.heard = (words) => {
    if (words.type === 'counted') counted = { bytes: words.bytes, ms: words.ms };
  };
  end.say({ type: 'count', way });
  await fill(lane, FILL, signal);
  const deadline = performance.now() + SETTLED.atMost + 2000;
  while (!counted && performance.now() < deadline) {
    signal.throwIfAborted();
    await pause(50);
  }
  return counted ?? { bytes: 0, ms: 0 };
}

/** @param {End} end @param {Way} way @param {AbortSignal} signal */
async function fillBack(end, way, signal) {
  const counter = new Counter(/** @type {Lanes} */ (end.lanes)[way]);
  end.say({ type: 'fill', way, ...FILL });
  await counter.settled(SETTLED, signal);
  return { bytes: counter.bytes, ms: counter.ms };
}

/** Answers and counts for the end that leads. @param {End} end @returns {() => void} how to stop */
export function follow(end) {
  const lanes = /** @type {Lanes} */ (end.lanes);
  const over = new AbortController();
  for (const name of LANES) answerPings(lanes[name]);
  let filling = false;
  end.heard = (words) => {
    if (words.type === 'fill' && !filling) {
      filling = true;
      void fill(lanes[words.way], words, over.signal).finally(() => (filling = false));
    }
    if (words.type !== 'count') return;
    const counter = new Counter(lanes[words.way]);
    void counter.settled(SETTLED, over.signal).then(() => end.say({ type: 'counted', bytes: counter.bytes, ms: counter.ms }));
  };
  return () => over.abort();
}
