/**
 * What the address asks for. Documented in docs/web.md.
 * @module
 */
import { cleanName, roomOfPath, toKey, toRoomName } from './names.js';

/** @import {Options, RelayTransport} from './types.js' */

/**
 * @param {string} search
 * @returns {Options}
 */
export function readOptions(search) {
  const query = new URLSearchParams(search);
  const transport = query.get('transport');
  return {
    join: query.has('join'),
    relay: query.has('relay'),
    nomedia: query.has('nomedia'),
    transport: transport === 'udp' || transport === 'tcp' || transport === 'tls' ? /** @type {RelayTransport} */ (transport) : null,
    name: query.has('name') ? cleanName(query.get('name')) : null,
  };
}

/**
 * @param {{pathname: string, hash: string}} where
 * @returns {{room: string, key: string|null}|null} null: the start page
 */
export function readRoom({ pathname, hash }) {
  const raw = roomOfPath(pathname);
  const room = raw === null ? null : toRoomName(raw);
  return room === null ? null : { room, key: toKey(hash.replace(/^#/, '')) };
}
