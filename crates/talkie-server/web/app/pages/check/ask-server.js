/**
 * Asks signaling which ICE servers this page is to use, as a call would, without joining a room.
 * @module
 */
import { Signaling, signalUrl } from '../../session/signaling.js';
import { eachUrl } from './servers.js';

/** @import {Server} from './servers.js' */
/** @typedef {{open: boolean, servers: Server[], selfSigned: boolean}} Told `open`: the WebSocket came about */

const PATIENCE_MS = 10_000;

/** @returns {Promise<Told>} */
export function askServer() {
  return new Promise((resolve) => {
    const end = (/** @type {Told} */ told) => {
      clearTimeout(timer);
      signaling.close();
      resolve(told);
    };
    const signaling = new Signaling(signalUrl(), {
      session: ({ iceServers, selfSigned }) => end({ open: true, servers: eachUrl(iceServers), selfSigned: selfSigned === true }),
      message() {},
      status() {},
      ended: () => end({ open: false, servers: [], selfSigned: false }),
    });
    const timer = setTimeout(() => end({ open: false, servers: [], selfSigned: false }), PATIENCE_MS);
    signaling.start();
  });
}
