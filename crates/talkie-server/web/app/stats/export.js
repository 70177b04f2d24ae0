/**
 * The call's statistics as JSON for somebody who is to help. Says nothing about people: no names, no
 * room, and no addresses unless they are asked for. `version` grows when a field changes its meaning.
 * Pure.
 * @module
 */

/** @import {Record} from './sampler.js' */
/** @import {End, PairReading} from './read.js' */
/** @import {Candidate, GatheringError} from '../peer/trace.js' */

export const SCHEMA = 'talkie-call-statistics';
export const VERSION = 1;

/**
 * @param {readonly Record[]} records
 * @param {{addresses: boolean, now: number, userAgent: string}} how
 */
export function exported(records, { addresses, now, userAgent }) {
  const end = addresses ? (/** @type {End} */ e) => e : withoutAddress;
  /** @param {PairReading} pair */
  const pairOf = ({ local, remote }) => ({ local: end(local), remote: end(remote) });
  return {
    schema: SCHEMA,
    version: VERSION,
    exportedAt: new Date(now).toISOString(),
    userAgent,
    addresses,
    units: { bitrate: 'kbit/s', rtt: 'ms', jitter: 'ms', buffer: 'ms', loss: '%', at: 'ms since 1970-01-01' },
    peers: records.map(({ key, history, trace }) => ({
      peer: key,
      samples: history.samples,
      pairs: history.pairs.map(({ at, pair }) => ({ at, ...pairOf(pair) })),
      events: trace.events,
      candidates: { local: trace.local.map((c) => candidate(c, addresses)), remote: trace.remote.map((c) => candidate(c, addresses)) },
      gatheringErrors: trace.errors.map((error) => (addresses ? error : gatheringError(error))),
    })),
  };
}

/** @param {End} end */
const withoutAddress = ({ type, protocol, relayProtocol, network }) => ({ type, protocol, relayProtocol, network });

/** @param {Candidate} c @param {boolean} addresses */
const candidate = (c, addresses) => (addresses ? c : { type: c.type, protocol: c.protocol, relayProtocol: c.relayProtocol, family: c.address.includes(':') ? 6 : 4 });

/** The text can carry an address, the URL does. @param {GatheringError} error */
const gatheringError = ({ code, url }) => ({ code, server: /^[a-z]+:/.exec(url)?.[0] ?? '', transport: /transport=(\w+)/.exec(url)?.[1] ?? null });
