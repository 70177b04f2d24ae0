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

/** @returns {Promise<{iceServers: RTCIceServer[], invitation: Invitation}>} rejects when the server does not answer */
export function askServer() {
  return new Promise((resolve, reject) => {
    const end = (/** @type {() => void} */ settle) => {
      clearTimeout(timer);
      signaling.close();
      settle();
    };
    const signaling = new Signaling(signalUrl(), {
      session: (welcome) => end(() => resolve({ iceServers: usableServers(welcome.iceServers, { transport: null }), invitation: readInvitation(welcome) })),
      message: () => {},
      status: () => {},
      ended: (code) => end(() => reject(new Error(code))),
    });
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), WITHIN_MS);
    signaling.start();
  });
}
