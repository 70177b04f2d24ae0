/**
 * ICE servers, one URL at a time: what signaling hands out, and what somebody types into the form.
 * Pure.
 * @module
 */
import { relayTransport } from '../../session/ice-servers.js';

/** @typedef {'stun'|'udp'|'tcp'|'tls'} Leg */
/**
 * @typedef {object} Server
 * @property {string} url
 * @property {Leg} leg
 * @property {string} host without brackets
 * @property {number} port
 * @property {string} [username]
 * @property {string} [credential]
 */

export const MAX_SERVERS = 12;
const MAX_TEXT = 1024;

/**
 * RFC 7064 §3.1, RFC 7065 §3.1. Browsers refuse what is not of this form, some of them silently.
 * @param {string} text
 * @returns {Server|null}
 */
export function readUrl(text) {
  const [, scheme = '', bracketed, plain, port, query] = /^(stuns?|turns?):(?:\[([0-9a-f:.]+)\]|([^\s:/?#[\]@]+))(?::(\d{1,5}))?(?:\?(transport=(?:udp|tcp)))?$/i.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  if (!scheme || !host || text.length > MAX_TEXT) return null;
  const secure = /s$/i.test(scheme);
  const number = port === undefined ? (secure ? 5349 : 3478) : Number(port);
  if (number < 1 || number > 65535) return null;
  // STUN takes no transport; TURN over DTLS is nowhere implemented.
  if (/^stun/i.test(scheme) && query) return null;
  if (/^turns$/i.test(scheme) && /udp/i.test(query ?? '')) return null;
  return { url: text.trim(), leg: relayTransport(text.trim()) ?? 'stun', host, port: number };
}

/** @param {unknown} iceServers `welcome.iceServers` @returns {Server[]} */
export function eachUrl(iceServers) {
  if (!Array.isArray(iceServers)) return [];
  const all = iceServers.flatMap((server) => {
    const urls = Array.isArray(server?.urls) ? server.urls : [server?.urls];
    const known = { ...(typeof server?.username === 'string' && { username: server.username }), ...(typeof server?.credential === 'string' && { credential: server.credential }) };
    return urls.flatMap((/** @type {unknown} */ url) => {
      const read = typeof url === 'string' ? readUrl(url) : null;
      return read ? [{ ...read, ...known }] : [];
    });
  });
  return all.slice(0, MAX_SERVERS);
}

/** @typedef {'badUrl'|'noCredentials'|'tooLong'|'tooMany'} FormFault */

/**
 * @param {{url: string, username: string, credential: string}} typed
 * @returns {{server: Server}|{fault: FormFault}}
 */
export function readForm({ url, username, credential }) {
  const read = readUrl(url);
  if (!read) return { fault: 'badUrl' };
  if (username.length > MAX_TEXT || credential.length > MAX_TEXT) return { fault: 'tooLong' };
  if (read.leg === 'stun') return { server: read };
  return username && credential ? { server: { ...read, username, credential } } : { fault: 'noCredentials' };
}

/**
 * The URL that a candidate is from. Some browsers don't say; then it is the only one that it can be from.
 * @param {{type: string, relayProtocol: string, url: string}} candidate
 * @param {readonly Server[]} servers those that were asked
 * @returns {string|null} empty: from no server; null: nobody can tell
 */
export function serverOf({ type, relayProtocol, url }, servers) {
  if (url) return url;
  if (type !== 'srflx' && type !== 'relay') return '';
  const possible = servers.filter(({ leg }) => (type === 'relay' ? leg !== 'stun' && (!relayProtocol || leg === relayProtocol) : leg === 'stun' || leg === 'udp'));
  return possible.length === 1 ? possible[0]?.url ?? null : null;
}

/** @param {Server} server @returns {RTCIceServer} */
export function iceServer({ url, username, credential }) {
  return { urls: url, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
}

/** Whether a host is written as an address. @param {string} host */
export function isAddress(host) {
  return host.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host);
}
