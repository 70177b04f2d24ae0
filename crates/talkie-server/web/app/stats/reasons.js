/**
 * Why packets take the way they take, as far as this side can tell. A browser does not say why a check
 * failed; what it gathered, and what not, lets us conclude. `sure` is false for what is only likely, and
 * the words say so. Pure.
 * @module
 */
import { isLocalAddress } from '../peer/badge.js';

/** @import {Candidate, GatheringError} from '../peer/trace.js' */
/** @import {PeerPath, RelayTransport} from '../types.js' */

/** What one side may tell the other of itself, too (peer/messages/path.js). */
export const REASONS = /** @type {const} */ ([
  'policy', 'leg', 'no-udp', 'no-reflexive', 'symmetric', 'refused', 'unreachable'
]);

/** @typedef {typeof REASONS[number]} ReasonCode */
/** @typedef {{code: ReasonCode, sure: boolean}} Reason */

/**
 * @typedef {object} Seen
 * @property {boolean} relayOnly the address says ?relay
 * @property {RelayTransport|null} transport the address allows one leg only
 * @property {readonly Candidate[]} local
 * @property {readonly GatheringError[]} errors
 * @property {boolean} gathered
 */

/**
 * What on this side stands against a direct way.
 * @param {Seen} seen
 * @returns {Reason[]} surest first
 */
export function reasonsHere({ relayOnly, transport, local, errors, gathered }) {
  /** @type {Reason[]} */
  const reasons = [];
  if (relayOnly) reasons.push({ code: 'policy', sure: true });
  if (transport) reasons.push({ code: 'leg', sure: true });
  if (errors.some((e) => e.code === 401 || e.code === 403)) reasons.push({ code: 'refused', sure: true });
  if (relayOnly || !gathered) return reasons;
  const udpHosts = local.filter((c) => c.type === 'host' && c.protocol === 'udp');
  const reflexive = local.filter((c) => c.type === 'srflx' && c.protocol === 'udp');
  // A machine with a public address has none either: it is the same as its own.
  const isPublic = udpHosts.some((c) => !c.address.endsWith('.local') && !isLocalAddress(c.address));
  const relays = local.filter((c) => c.type === 'relay');
  const overUdp = relays.some((c) => legOf(c) === 'udp');
  if (transport === null && relays.length > 0 && !overUdp && reflexive.length === 0 && !isPublic) reasons.push({ code: 'no-udp', sure: false });
  else if (reflexive.length === 0 && !isPublic) reasons.push({ code: 'no-reflexive', sure: false });
  if (isSymmetric(reflexive, udpHosts.length)) reasons.push({ code: 'symmetric', sure: false });
  if (relays.length === 0 && errors.some((e) => e.code === 701)) reasons.push({ code: 'unreachable', sure: false });
  return reasons;
}

/** Chromium tells the leg, and the priority of Firefox's candidates is no help: what is not told is null. @param {Candidate} candidate */
function legOf({ relayProtocol, url }) {
  if (relayProtocol) return relayProtocol;
  if (!url) return null;
  return url.startsWith('turns:') ? 'tls' : url.includes('transport=tcp') ? 'tcp' : 'udp';
}

/**
 * One socket that looks different to two servers: the router gives each destination a port of its own.
 * Browsers hide where a reflexive address was seen from (0.0.0.0); with a single socket there is no doubt
 * all the same.
 * @param {readonly Candidate[]} reflexive
 * @param {number} sockets
 */
function isSymmetric(reflexive, sockets) {
  /** @type {Map<string, Set<string>>} */
  const seen = new Map();
  for (const { related, address, port } of reflexive) {
    const hidden = related === null || /^(?:0\.0\.0\.0|::) /.test(related);
    if (hidden && sockets !== 1) continue;
    const from = hidden ? 'the only one' : related;
    seen.set(from, (seen.get(from) ?? new Set()).add(`${address} ${port}`));
  }
  return [...seen.values()].some((ways) => ways.size > 1);
}

/**
 * What is said about the way: this side's reasons, the other's, and when neither explains a relay, that.
 * @param {PeerPath|null} path
 * @param {readonly Reason[]} ours
 * @param {readonly ReasonCode[]|null} theirs null: nothing was told
 * @returns {{ours: readonly Reason[], theirs: readonly ReasonCode[], unexplained: boolean, theirsUnknown: boolean}}
 */
export function explain(path, ours, theirs) {
  const relayed = path?.kind === 'relay';
  const none = ours.length === 0 && (theirs === null || theirs.length === 0);
  return { ours: relayed ? ours : [], theirs: relayed ? theirs ?? [] : [], unexplained: relayed && none, theirsUnknown: relayed && theirs === null };
}
