/**
 * What the server tells whoever opens a session, for pages that are in no room: the STUN and TURN servers
 * with fresh credentials, and by which address others reach it. The session is ended at once.
 * @module
 */
import { Signaling, signalUrl } from '../session/signaling.js';
import { usableServers } from '../session/ice-servers.js';
import { readInvitation } from '../session/invitation.js';

/** @import {Invitation} from '../types.js' */

const WITHIN_MS = 10_000;

/** Those that `discovery` may name: two ports, on two addresses. */
const MAX_DISCOVERY = 4;

/**
 * @param {unknown} urls `welcome.discovery` (docs/signaling.md)
 * @returns {string[]}
 */
export function discoveryUrls(urls) {
  return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string' && url.startsWith('stun:')).slice(0, MAX_DISCOVERY) : [];
}

/** @returns {Promise<{iceServers: RTCIceServer[], discovery: string[], invitation: Invitation}>} rejects when the server does not answer */
export function askServer() {
  return new Promise((resolve, reject) => {
    const end = (/** @type {() => void} */ settle) => {
      clearTimeout(timer);
      signaling.close();
      settle();
    };
    const signaling = new Signaling(signalUrl(), {
      session: (welcome) => end(() => resolve({ iceServers: usableServers(welcome.iceServers, { transport: null }), discovery: discoveryUrls(welcome.discovery), invitation: readInvitation(welcome) })),
      message: () => {},
      status: () => {},
      ended: (code) => end(() => reject(new Error(code))),
    });
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), WITHIN_MS);
    signaling.start();
  });
}
