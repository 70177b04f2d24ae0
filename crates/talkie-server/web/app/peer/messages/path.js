/**
 * `path`: how packets go, as the sender of this message sees it.
 * @module
 */

/** @import {PeerPath} from '../../types.js' */
/** @typedef {{type: 'path', kind: PeerPath['kind'], via: PeerPath['via']}} PathMessage */

export const pathMessages = {
  /** @param {any} raw @returns {PathMessage|null} */
  path: (raw) =>
    ['direct', 'nat', 'relay'].includes(raw.kind)
      ? { type: 'path', kind: raw.kind, via: ['udp', 'tcp', 'tls'].includes(raw.via) ? raw.via : null }
      : null,
};
