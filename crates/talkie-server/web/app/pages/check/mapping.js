/**
 * What the NAT in front of this browser does with one socket that asks several addresses (RFC 5780
 * §4.3): the same mapping for all, or another for each port, or for each address. A browser tells it
 * by reflexive candidates, and leaves out one that it has already, so that a single candidate means
 * "the same for all" only where it is known that all have answered. Pure.
 * @module
 */
import { addressFamily } from '../candidate.js';

/** @import {Outcome} from './leg.js' */
/** @import {Gathered} from './verdict.js' */
/**
 * `none`: no NAT is in between; `steady`: one mapping for all; `byAddress`: another for another address;
 * `changing`: another for each address and port; `blocked`: nothing was answered; `unanswered`: one of
 * the server's ports was not, so that it cannot be told.
 * @typedef {{kind: 'none'|'steady'|'byAddress'|'changing'|'blocked'|'unanswered', port: number}} Mapping
 *   `port`: the one that was not answered
 */
/**
 * @typedef {object} Asked
 * @property {boolean} complete one socket asked all of them, and gathering ended by itself
 * @property {readonly Gathered[]} candidates of that socket
 * @property {readonly {host: string, port: number, outcome: Outcome|null}[]} alone each asked by itself, the server's first port first
 */

/** @param {Asked} asked @returns {Mapping|null} null: cannot be told */
export function judgeMapping({ complete, candidates, alone }) {
  const silent = alone.filter(({ outcome }) => outcome !== 'works');
  if (alone.length < 2) return null;
  const outside = reflexive(candidates);
  if (silent.length === alone.length && outside.length === 0) return silent.every(({ outcome }) => outcome === 'silent') ? { kind: 'blocked', port: 0 } : null;
  const most = Math.max(0, ...mappings(candidates).map((mapped) => mapped.size));
  // Different mappings are different whoever else did not answer.
  if (most > 1) return { kind: most === 2 && new Set(alone.map(({ host }) => host)).size > 1 ? 'byAddress' : 'changing', port: 0 };
  if (silent[0]) return { kind: 'unanswered', port: silent[0].port };
  if (!complete) return null;
  if (most === 1) return { kind: 'steady', port: 0 };
  return outside.length === 0 && candidates.some(({ type }) => type === 'host') ? { kind: 'none', port: 0 } : null;
}

/**
 * The same of servers that nobody chose for it, by their candidates alone: steady only if one mapping
 * was shown twice.
 * @param {readonly Gathered[]} candidates
 * @returns {'changing'|'steady'|null} null: cannot be told
 */
export function mappingOf(candidates) {
  const seen = mappings(candidates);
  if (seen.some((mapped) => mapped.size > 1)) return 'changing';
  return seen.length > 0 && reflexive(candidates).length > 1 ? 'steady' : null;
}

/** @param {readonly Gathered[]} candidates */
const reflexive = (candidates) => candidates.filter(({ type, protocol }) => type === 'srflx' && protocol === 'udp');

/**
 * The mappings of each socket. Where browsers hide a candidate's base, a single UDP socket must be it;
 * those that hide the host candidates as well have one socket for each IP version.
 * @param {readonly Gathered[]} candidates
 * @returns {Set<string>[]}
 */
function mappings(candidates) {
  const sockets = candidates.filter(({ type, protocol }) => type === 'host' && protocol === 'udp');
  const hidden = sockets.length === 2 && sockets.every(({ address }) => address.endsWith('.local'));
  /** @type {Map<string, Set<string>>} */
  const seen = new Map();
  for (const { address, port, relatedAddress, relatedPort } of reflexive(candidates)) {
    const base = relatedPort ? `${relatedAddress}:${relatedPort}` : sockets.length === 1 ? 'the only one' : hidden ? `IPv${addressFamily(address)}` : null;
    if (base === null) continue;
    seen.set(base, (seen.get(base) ?? new Set()).add(`${address} ${port}`));
  }
  return [...seen.values()];
}
