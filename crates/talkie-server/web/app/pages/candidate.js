/**
 * ICE candidates, read from their line (RFC 8839 §5.1) and taken apart: what the priority is made of
 * (RFC 8445 §5.1.2.1), and what kind of address it is. Pure.
 * @module
 */
import { isLocalAddress } from '../peer/badge.js';

/**
 * @typedef {object} Candidate
 * @property {string} foundation
 * @property {number} component 1 RTP, 2 RTCP
 * @property {string} protocol udp or tcp, between the peers
 * @property {number} priority
 * @property {string} address
 * @property {number} port
 * @property {string} type host, srflx, prflx or relay
 * @property {string|null} relatedAddress
 * @property {number|null} relatedPort
 * @property {string|null} tcpType
 * @property {[string, string][]} extensions what follows as pairs
 */

/** @param {string} line `candidate:…`, with or without `a=` @returns {Candidate|null} */
export function parseCandidate(line) {
  const parts = line.trim().replace(/^a=/, '').replace(/^candidate:/, '').split(/\s+/);
  const [foundation, component, protocol, priority, address, port, typ, type] = parts;
  if (!foundation || !protocol || !address || typ !== 'typ' || !type) return null;
  if (![component, priority, port].every((text) => /^\d{1,10}$/.test(text ?? ''))) return null;
  /** @type {[string, string][]} */
  const pairs = [];
  for (let at = 8; at + 1 < parts.length; at += 2) pairs.push([parts[at] ?? '', parts[at + 1] ?? '']);
  const named = new Map(pairs);
  const relatedPort = Number(named.get('rport') ?? NaN);
  return {
    foundation,
    component: Number(component),
    protocol: protocol.toLowerCase(),
    priority: Number(priority),
    address,
    port: Number(port),
    type: type.toLowerCase(),
    relatedAddress: named.get('raddr') ?? null,
    relatedPort: Number.isInteger(relatedPort) ? relatedPort : null,
    tcpType: named.get('tcptype') ?? null,
    extensions: pairs.filter(([name]) => !['raddr', 'rport', 'tcptype'].includes(name)),
  };
}

/** `2^24 · type + 2^8 · local + (256 − component)`. @param {number} priority */
export function decodePriority(priority) {
  return { type: Math.floor(priority / 2 ** 24), local: Math.floor(priority / 2 ** 8) % 2 ** 16, component: 256 - (priority % 256) };
}

/** @typedef {'mdns'|'loopback'|'linkLocal'|'private'|'carrier'|'public'} AddressKind */

/** @param {string} address @returns {AddressKind} */
export function addressKind(address) {
  const a = address.toLowerCase().replace(/^\[|\]$/g, '');
  if (a.endsWith('.local')) return 'mdns';
  if (a === '::1' || a.startsWith('127.')) return 'loopback';
  if (/^fe[89ab]/.test(a) || a.startsWith('169.254.')) return 'linkLocal';
  // RFC 6598: the addresses between a carrier's NAT and its customers.
  if (/^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(a)) return 'carrier';
  return isLocalAddress(a) ? 'private' : 'public';
}

/** @param {string} address @returns {4|6|null} null for a name */
export function addressFamily(address) {
  if (address.includes(':')) return 6;
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(address) ? 4 : null;
}
