/**
 * What became of one STUN or TURN server asked by itself, from what the browser said: works, or why
 * not. Browsers differ in what they tell: Chromium reports 401 with a text and 701 for each interface,
 * Firefox numbers without texts, and neither says anything where it does not even try. Pure.
 * @module
 */
import { isAddress } from './servers.js';

/** @import {Server} from './servers.js' */
/** @typedef {{code: number, text: string, ms: number}} IceError */
/**
 * @typedef {object} Heard
 * @property {boolean} candidate a relay candidate came, or a reflexive one from a STUN server
 * @property {readonly IceError[]} errors
 * @property {string|null} thrown what the RTCPeerConnection's constructor said
 * @property {boolean} complete gathering ended before our patience did
 * @property {number} ms
 */
/** @typedef {{firefox: boolean, selfSigned: boolean}} Here */
/**
 * `works`; `credentials`: the server refused who we are; `busy`: it has no room (486, 508); `denied`:
 * it refused for another reason; `closed`: answered at once that nobody listens, or TLS failed;
 * `certificate`: TLS failed and the certificate is known to be self-signed; `silent`: no answer in
 * time; `name`: the host name is unknown; `needsName`, `loopback`, `blockedPort`: this browser does not
 * even try; `invalid`: it refuses the URL; `nothing`: no reason given.
 * @typedef {'works'|'credentials'|'busy'|'denied'|'closed'|'certificate'|'silent'|'name'|'needsName'|'loopback'|'blockedPort'|'invalid'|'nothing'} Outcome
 */

/** Longer than Firefox's own patience (11 s over UDP), shorter than Chromium's (40 s). */
export const PATIENCE_MS = 12_000;

/** A refusal comes within a round trip or a few; a firewall that swallows packets takes seconds. */
const AT_ONCE_MS = 3000;

/** RFC 8656 §19.1: wrong user or password, user of another allocation, or forbidden. */
const CREDENTIALS = new Set([401, 441]);
const BUSY = new Set([486, 508]);

/** @param {Server} server @param {Heard} heard @param {Here} here @returns {{outcome: Outcome, code: number|null}} */
export function judge(server, heard, here) {
  const code = heard.errors.find((error) => error.code < 700)?.code ?? heard.errors[0]?.code ?? null;
  return { outcome: outcomeOf(server, heard, here, code), code };
}

/** @param {Server} server @param {Heard} heard @param {Here} here @param {number|null} code @returns {Outcome} */
function outcomeOf(server, { candidate, errors, thrown, complete, ms }, { firefox, selfSigned }, code) {
  if (candidate) return 'works';
  if (thrown !== null) return /port that is blocked/i.test(thrown) ? 'blockedPort' : 'invalid';
  if (code !== null && CREDENTIALS.has(code)) return 'credentials';
  if (code !== null && BUSY.has(code)) return 'busy';
  if (code !== null && code < 700) return 'denied';
  if (firefox && isLoopback(server.host)) return 'loopback';
  // Firefox leaves it out without a word: its log says that TLS wants a name.
  if (firefox && server.leg === 'tls' && isAddress(server.host) && errors.length === 0) return 'needsName';
  if (errors.some(({ text }) => /host lookup/i.test(text))) return 'name';
  if (!complete) return 'silent';
  if (errors.length === 0) return 'nothing';
  const soon = Math.min(...errors.map((error) => error.ms), ms) < AT_ONCE_MS;
  // Nothing can be unreachable over UDP at once; only a name can be.
  if (soon && server.leg !== 'tcp' && server.leg !== 'tls' && !isAddress(server.host)) return 'name';
  if (server.leg === 'udp' || server.leg === 'stun' || !soon) return 'silent';
  return server.leg === 'tls' && selfSigned ? 'certificate' : 'closed';
}

/** @param {string} host */
function isLoopback(host) {
  return /^127\./.test(host) || host === '::1' || /^localhost$/i.test(host);
}

/** Whether packets did come back from the server, whatever they said. @param {Outcome} outcome */
export function answered(outcome) {
  return ['works', 'credentials', 'busy', 'denied'].includes(outcome);
}
