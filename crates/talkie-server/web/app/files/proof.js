/**
 * Who may go on with an offer over another connection: whoever knows its token, on exactly this
 * connection. A proof is HMAC-SHA-256 with the token as key over the role, the offer's id, both nonces and
 * the DTLS fingerprints of both ends, so that nobody in between can hand one side's proof to the other.
 * @module
 */
import { hex } from './protocol.js';

/** @typedef {{sender: string, receiver: string}} Prints the fingerprints of both ends */

/**
 * @param {string} token
 * @param {'sender'|'receiver'} role of the one who proves
 * @param {{id: string, asked: string, answered: string, prints: Prints}} context both nonces
 * @returns {Promise<string>}
 */
export async function prove(token, role, { id, asked, answered, prints }) {
  const text = new TextEncoder().encode(['talkie-file-resume', role, id, asked, answered, prints.sender, prints.receiver].join('\n'));
  const secret = new TextEncoder().encode(token);
  const subtle = globalThis.crypto?.subtle;
  if (subtle) {
    const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return hex(new Uint8Array(await subtle.sign('HMAC', key, text)));
  }
  const [{ hmac }, { sha256 }] = await Promise.all([import('../../vendor/noble/hashes/hmac.js'), import('../../vendor/noble/hashes/sha2.js')]);
  return hex(hmac(sha256, secret, text));
}

/** Takes the same time wherever they differ. @param {string} a @param {string} b */
export function same(a, b) {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) differs |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return differs === 0;
}

/**
 * @param {Pick<RTCPeerConnection, 'localDescription'|'remoteDescription'>|null} pc
 * @param {'sender'|'receiver'} role ours
 * @returns {Prints}
 */
export function printsOf(pc, role) {
  const ours = fingerprints(pc?.localDescription?.sdp ?? '');
  const theirs = fingerprints(pc?.remoteDescription?.sdp ?? '');
  return role === 'sender' ? { sender: ours, receiver: theirs } : { sender: theirs, receiver: ours };
}

/** @param {string} sdp @returns {string} all of them, each once, in one order */
function fingerprints(sdp) {
  return [...new Set([...sdp.matchAll(/^a=fingerprint:\s*(\S+ \S+)/gm)].map(([, print]) => (print ?? '').toLowerCase()))].sort().join(',');
}
