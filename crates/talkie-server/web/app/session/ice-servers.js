/**
 * The RTCConfiguration for every connection: the servers that signaling hands out, narrowed by what
 * the address asks for (`?relay`, `?transport=`).
 * @module
 */

/** @import {Options, RelayTransport} from '../types.js' */

/**
 * Which leg a TURN URL stands for (RFC 7065 §3.1); null for STUN and anything else.
 * @param {string} url
 * @returns {RelayTransport|null}
 */
export function relayTransport(url) {
  if (/^turns:/i.test(url)) return 'tls';
  if (!/^turn:/i.test(url)) return null;
  return /[?&]transport=tcp\b/i.test(url) ? 'tcp' : 'udp';
}

/**
 * @param {unknown} servers as the server sent them
 * @param {Pick<Options, 'transport'>} options
 * @returns {RTCIceServer[]}
 */
export function usableServers(servers, { transport }) {
  if (!Array.isArray(servers)) return [];
  return servers.flatMap((server) => {
    const urls = (Array.isArray(server?.urls) ? server.urls : [server?.urls]).filter(
      /** @param {unknown} url */ (url) => {
        if (typeof url !== 'string') return false;
        const leg = relayTransport(url);
        return !transport || leg === null || leg === transport;
      },
    );
    return urls.length ? [{ ...server, urls }] : [];
  });
}

/**
 * @param {RTCIceServer[]} iceServers
 * @param {Pick<Options, 'relay'>} options
 * @returns {RTCConfiguration}
 */
export function rtcConfiguration(iceServers, { relay }) {
  return { iceServers, iceTransportPolicy: relay ? 'relay' : 'all', bundlePolicy: 'max-bundle' };
}
