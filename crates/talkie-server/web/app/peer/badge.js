/**
 * From getStats to one word: direct, through NAT, or relayed. Pure; what a browser reports goes in as
 * a list of entries.
 * @module
 */

/** @import {PathKind, PeerPath, RelayTransport} from '../types.js' */

/** @typedef {Record<string, any>} Stat */

/**
 * @param {Iterable<Stat>} stats
 * @returns {PeerPath|null} null while no pair is selected
 */
export function readPath(stats) {
  const byId = new Map([...stats].map((stat) => [stat.id, stat]));
  const pair = selectedPair(byId);
  const local = byId.get(pair?.localCandidateId);
  const remote = byId.get(pair?.remoteCandidateId);
  if (!pair || !local || !remote) return null;
  const rtt = typeof pair.currentRoundTripTime === 'number' ? pair.currentRoundTripTime : null;
  return { ...classify(local, remote), rtt };
}

/** @param {Map<string, Stat>} byId */
export function selectedPair(byId) {
  const all = [...byId.values()];
  const transport = all.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
  if (transport) return byId.get(transport.selectedCandidatePairId) ?? null;
  // Firefox marks the pair itself.
  const pairs = all.filter((s) => s.type === 'candidate-pair');
  return pairs.find((s) => s.selected) ?? pairs.find((s) => s.nominated && s.state === 'succeeded') ?? null;
}

/**
 * @param {Stat} local
 * @param {Stat} remote
 * @returns {{kind: PathKind, via: RelayTransport|null}}
 */
export function classify(local, remote) {
  if (local.candidateType === 'relay') return { kind: 'relay', via: relayProtocol(local) };
  if (remote.candidateType === 'relay') return { kind: 'relay', via: null };
  return { kind: isOwn(local) && isOwn(remote) ? 'direct' : 'nat', via: null };
}

/** @param {Stat} local @returns {RelayTransport|null} */
function relayProtocol(local) {
  const said = String(local.relayProtocol ?? '').toLowerCase();
  if (said === 'udp' || said === 'tcp' || said === 'tls') return said;
  const url = String(local.url ?? '');
  if (url.startsWith('turns:')) return 'tls';
  return url ? (url.includes('transport=tcp') ? 'tcp' : 'udp') : null;
}

/**
 * Whether a candidate's address is the machine's own. A peer-reflexive one is an address that only
 * the checks found: the far side of a NAT, or a host whose name (.local) was not resolved in time.
 * @param {Stat} candidate
 */
function isOwn(candidate) {
  if (candidate.candidateType === 'host') return true;
  return candidate.candidateType === 'prflx' && isLocalAddress(String(candidate.address ?? candidate.ip ?? ''));
}

/** @param {string} address loopback, link-local, private or unique-local */
export function isLocalAddress(address) {
  const a = address.toLowerCase().replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  if (a.includes(':')) return a === '::1' || /^f[cd]/.test(a) || /^fe[89ab]/.test(a);
  return /^(?:127|10)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\./.test(a);
}

/**
 * The two ends can see one path differently (a relayed address looks reflexive from afar): when either
 * knows of a relay, there is one.
 * @param {PeerPath|null} ours
 * @param {{kind: PathKind, via: RelayTransport|null}|null} theirs
 * @returns {PeerPath|null}
 */
export function agreed(ours, theirs) {
  if (!ours || !theirs) return ours;
  if (ours.kind === 'relay') return ours;
  if (theirs.kind === 'relay') return { ...ours, kind: 'relay', via: null };
  return ours.kind === 'nat' || theirs.kind === 'nat' ? { ...ours, kind: 'nat' } : ours;
}
