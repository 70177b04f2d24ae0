/**
 * The verdict: from everything that was observed to one sentence and a few remarks, in the order of
 * their weight. Pure; the words stand in strings.
 * @module
 */
import { addressFamily, addressKind } from '../candidate.js';
import { answered } from './leg.js';
import { mappingOf } from './mapping.js';

/** @import {Leg, Server} from './servers.js' */
/** @import {Outcome} from './leg.js' */
/** @import {Mapping} from './mapping.js' */
/** @typedef {{server: Server, outcome: Outcome|null, code: number|null, ms: number}} LegResult outcome null: not known yet */
/**
 * @typedef {object} Gathered a candidate, as far as it matters here
 * @property {string} type
 * @property {string} protocol
 * @property {string} address
 * @property {number} port
 * @property {string|null} relatedAddress
 * @property {number|null} relatedPort
 */
/**
 * @typedef {object} Observed
 * @property {boolean} online
 * @property {boolean} secure
 * @property {boolean} signaling whether the server's WebSocket could be opened
 * @property {boolean} done nothing more is to come
 * @property {string} page the page's host name
 * @property {readonly LegResult[]} legs
 * @property {readonly Gathered[]} candidates
 * @property {Mapping|null} mapping what the server's own ports told of the NAT
 */
/** @typedef {'good'|'note'|'bad'|'stop'} Severity */
/** @typedef {{code: string, severity: Severity, values: string[]}} Finding */
/** @typedef {{headline: Finding, findings: Finding[]}} Verdict */

/** @param {string} code @param {Severity} severity @param {string[]} values @returns {Finding} */
const finding = (code, severity, ...values) => ({ code, severity, values });

/** @param {Observed} observed @returns {Verdict} */
export function verdict(observed) {
  const headline = headlineOf(observed);
  const findings = headline.code === 'offline' ? [] : [...ofPage(observed), ...ofLegs(observed, headline), ...ofAddresses(observed)];
  return { headline, findings };
}

/** @param {Observed} observed @returns {Finding} */
function headlineOf({ online, signaling, done, legs, candidates }) {
  if (!online) return finding('offline', 'stop');
  if (!done || legs.some(({ outcome }) => outcome === null)) return finding('checking', 'note');
  const turn = legs.filter(({ server }) => server.leg !== 'stun');
  const working = turn.filter(({ outcome }) => outcome === 'works').map(({ server }) => server.leg);
  if (!signaling && turn.length === 0) return finding('noSignaling', 'stop');
  if (turn.length === 0) return withoutRelay(legs, candidates);
  if (working.includes('udp')) return working.length === turn.length ? finding('allWorks', 'good') : finding('udpWorks', 'good');
  if (working.length > 0) return overTcp(turn, working);
  return noRelay(turn, candidates);
}

/** The relay works, but not over UDP. @param {LegResult[]} turn @param {Leg[]} working */
function overTcp(turn, working) {
  const via = [...new Set(working)].map((leg) => leg.toUpperCase()).join(', ');
  const udp = turn.find(({ server }) => server.leg === 'udp');
  if (!udp) return finding('relayOver', 'good', via);
  // What was answered was not blocked.
  if (udp.outcome !== null && answered(udp.outcome)) return finding('udpRefused', 'bad', via);
  if (udp.outcome === 'loopback' || udp.outcome === 'blockedPort') return finding('udpImpossible', 'note', via);
  return finding('udpBlocked', 'bad', via, String(udp.server.port), udp.server.host);
}

/** @param {LegResult[]} turn @param {readonly Gathered[]} candidates */
function noRelay(turn, candidates) {
  const outcomes = turn.map(({ outcome }) => outcome);
  if (outcomes.some((outcome) => outcome === 'credentials')) return finding('credentials', 'stop');
  if (outcomes.some((outcome) => outcome === 'busy')) return finding('busy', 'bad');
  if (outcomes.every((outcome) => outcome === 'loopback' || outcome === 'needsName')) return finding('notHere', 'note');
  if (outcomes.some((outcome) => outcome === 'denied')) return finding('denied', 'stop');
  return candidates.some(({ type }) => type === 'srflx') ? finding('directOnly', 'bad') : finding('localOnly', 'stop');
}

/** @param {readonly LegResult[]} legs @param {readonly Gathered[]} candidates */
function withoutRelay(legs, candidates) {
  const stun = legs.some(({ outcome }) => outcome === 'works') || candidates.some(({ type }) => type === 'srflx');
  if (stun) return finding('stunOnly', 'note');
  return candidates.length > 0 ? finding('hostOnly', 'bad') : finding('nothing', 'stop');
}

/** @param {Observed} observed */
function ofPage({ secure, signaling, page }) {
  return [
    ...(signaling ? [] : [finding('noSignaling', 'stop')]),
    ...(secure ? [] : [finding('insecure', 'stop')]),
    ...(/^(?:localhost|127\.|\[?::1)/.test(page) ? [finding('loopbackPage', 'note')] : []),
  ];
}

/** What keeps a leg from working, unless the headline says just that. @param {Observed} observed @param {Finding} headline */
function ofLegs({ legs }, headline) {
  return legs.flatMap(({ server, outcome, code }) => {
    if (outcome === null || outcome === 'works') return [];
    if (headline.code === 'udpBlocked' && server.leg === 'udp') return [];
    const severity = ['needsName', 'loopback', 'blockedPort'].includes(outcome) ? /** @type {const} */ ('note') : /** @type {const} */ ('bad');
    return [finding(`leg:${outcome}`, severity, server.leg, server.url, String(code ?? ''))];
  });
}

/** @param {Observed} observed */
function ofAddresses({ candidates, done, mapping }) {
  if (!done) return [];
  const hosts = candidates.filter(({ type }) => type === 'host');
  const outside = candidates.filter(({ type }) => type === 'srflx');
  const kinds = new Set(hosts.map(({ address }) => addressKind(address)));
  /** @type {Finding[]} */
  const found = [ofNat(mapping, candidates)].flatMap((one) => one ?? []);
  if (outside.some(({ address }) => addressKind(address) === 'private')) found.push(finding('serverInside', 'note'));
  if ([...hosts, ...outside].some(({ address }) => addressKind(address) === 'carrier')) found.push(finding('carrier', 'note'));
  const exits = new Set(outside.filter(({ address }) => addressFamily(address) === 4).map(({ address }) => address));
  if (exits.size > 1) found.push(finding('exits', 'note', [...exits].length.toString()));
  if (hosts.length > 0 && outside.length === 0 && kinds.size > 0 && [...kinds].every((kind) => kind === 'loopback')) found.push(finding('onlyLoopback', 'note'));
  if (kinds.has('mdns')) found.push(finding('mdns', 'note'));
  if (hosts.length === 0) found.push(finding('noHosts', 'note'));
  found.push(ipv6Of([...hosts, ...outside]));
  return found;
}

/** The NAT in one sentence. @param {Mapping|null} mapping @param {readonly Gathered[]} candidates */
function ofNat(mapping, candidates) {
  const kind = mapping?.kind ?? mappingOf(candidates);
  if (kind === 'none') return finding('natNone', 'good');
  if (kind === 'steady') return finding('natSteady', 'good');
  if (kind === 'byAddress') return finding('natByAddress', 'bad');
  if (kind === 'changing') return finding('natSymmetric', 'bad');
  if (kind === 'blocked') return finding('natHidden', 'note');
  if (kind === 'unanswered') return finding('natUnanswered', 'note', String(mapping?.port));
  return candidates.some(({ type }) => type === 'srflx') ? finding('natUnknown', 'note') : null;
}

/** @param {readonly Gathered[]} candidates */
function ipv6Of(candidates) {
  const six = candidates.filter(({ address }) => addressFamily(address) === 6);
  if (six.some(({ address }) => addressKind(address) === 'public')) return finding('ipv6', 'good');
  return six.length > 0 ? finding('ipv6Local', 'note') : finding(candidates.some(({ address }) => address.endsWith('.local')) ? 'ipv6Hidden' : 'noIpv6', 'note');
}
