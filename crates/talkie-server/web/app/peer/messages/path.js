/**
 * `path`: how packets go, as the sender of this message sees it, and what on its side stands against a
 * shorter way.
 * @module
 */
import { REASONS } from '../../stats/reasons.js';

/** @import {PeerPath} from '../../types.js' */
/** @import {ReasonCode} from '../../stats/reasons.js' */
/** @typedef {{type: 'path', kind: PeerPath['kind'], via: PeerPath['via'], why: ReasonCode[]}} PathMessage */

export const pathMessages = {
  /** @param {any} raw @returns {PathMessage|null} */
  path: (raw) =>
    ['direct', 'nat', 'relay'].includes(raw.kind)
      ? { type: 'path', kind: raw.kind, via: ['udp', 'tcp', 'tls'].includes(raw.via) ? raw.via : null, why: reasons(raw.why) }
      : null,
};

/** @param {unknown} told @returns {ReasonCode[]} those of them that we know, each once */
const reasons = (told) => (Array.isArray(told) ? REASONS.filter((code) => told.slice(0, 32).includes(code)) : []);
