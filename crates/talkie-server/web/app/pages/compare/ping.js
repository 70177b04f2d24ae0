/**
 * Round trips over one lane: what was sent when, and what came back.
 * @module
 */
import { pingFrame } from './frames.js';

/** @import {Trip} from './figures.js' */
/** @import {Lane} from './lane.js' */

/** A ping without an answer by then is lost. */
export const PING_WAIT_MS = 2000;
/** A flood of pings from the other end is not answered. */
const ANSWERS_PER_SECOND = 200;

export class Pinger {
  /** @type {Trip[]} */ trips = [];
  /** @type {Map<number, Trip>} */ #out = new Map();
  #next = 0;

  /** @param {Lane} lane @param {number} start of the measurement, on the page's clock */
  constructor(lane, start) {
    this.lane = lane;
    this.start = start;
    lane.on.pong = (number) => this.#pong(number);
  }

  ping() {
    this.#next += 1;
    /** @type {Trip} */
    const trip = { at: performance.now() - this.start, ms: null };
    if (!this.lane.send(pingFrame('ping', this.#next))) return;
    this.#out.set(this.#next, trip);
    this.trips.push(trip);
  }

  /** @param {number} number */
  #pong(number) {
    const trip = this.#out.get(number);
    if (!trip) return;
    this.#out.delete(number);
    const ms = performance.now() - this.start - trip.at;
    if (ms <= PING_WAIT_MS) trip.ms = ms;
  }
}

/** Answers the pings of a lane. @param {Lane} lane */
export function answerPings(lane) {
  let allowed = ANSWERS_PER_SECOND;
  let since = performance.now();
  lane.on.ping = (number) => {
    const now = performance.now();
    allowed = Math.min(ANSWERS_PER_SECOND, allowed + ((now - since) / 1000) * ANSWERS_PER_SECOND);
    since = now;
    if (allowed < 1) return;
    allowed -= 1;
    lane.send(pingFrame('pong', number));
  };
}
