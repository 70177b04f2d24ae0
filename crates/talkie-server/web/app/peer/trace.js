/**
 * What happened on one link, for whoever wants to know why it is as it is: the candidates of both
 * sides, what gathering failed at, and what was done when. Bounded; it says nothing about who the peer
 * is. `candidateOf` is pure.
 * @module
 */

/**
 * @typedef {object} Candidate
 * @property {string} type host, srflx, prflx or relay
 * @property {string} protocol udp or tcp
 * @property {string} address
 * @property {number} port
 * @property {string|null} related the address and port it was seen from
 * @property {string|null} relayProtocol of ours: how our relay is reached
 * @property {string|null} url of ours: the server that gave it
 */

/** @typedef {{code: number, url: string, text: string}} GatheringError */
/**
 * @typedef {'begun'|'connected'|'disconnected'|'failed'|'ice-restart'|'ice-restart-asked'|'ice-restart-wanted'
 *   |'ice-restart-by-hand'|'called-anew'|'call-wanted'|'network-changed'|'rebound'|'negotiated'|'path'|'held'|'resumed'|'cut-off'} Happening
 */
/** @typedef {{at: number, what: Happening, detail?: string}} TraceEvent `at` in milliseconds since 1970 */

const CANDIDATES_KEPT = 64;
const ERRORS_KEPT = 32;
const EVENTS_KEPT = 300;

export class Trace {
  /** @type {Candidate[]} */ local = [];
  /** @type {Candidate[]} */ remote = [];
  /** @type {GatheringError[]} */ errors = [];
  /** @type {TraceEvent[]} */ events = [];
  gathered = false;

  /** @param {Happening} what @param {string} [detail] */
  note(what, detail) {
    this.events.push({ at: Date.now(), what, ...(detail && { detail }) });
    if (this.events.length > EVENTS_KEPT) this.events.shift();
  }

  /** One of ours. @param {RTCIceCandidate} candidate */
  found(candidate) {
    const read = candidateOf(candidate.candidate);
    const more = /** @type {{relayProtocol?: string|null, url?: string|null}} */ (candidate);
    if (read) keep(this.local, { ...read, relayProtocol: more.relayProtocol ?? null, url: more.url ?? null }, CANDIDATES_KEPT);
  }

  /** One of theirs. @param {unknown} line */
  heard(line) {
    const read = candidateOf(line);
    if (read) keep(this.remote, read, CANDIDATES_KEPT);
  }

  /** @param {RTCPeerConnectionIceErrorEvent} event */
  failed({ errorCode, url, errorText }) {
    keep(this.errors, { code: errorCode, url: String(url).slice(0, 256), text: String(errorText).slice(0, 256) }, ERRORS_KEPT);
  }
}

/** @template T @param {T[]} list @param {T} item @param {number} most */
function keep(list, item, most) {
  list.push(item);
  if (list.length > most) list.shift();
}

const TYPES = new Set(['host', 'srflx', 'prflx', 'relay']);

/**
 * RFC 8839 §5.1.
 * @param {unknown} line of an SDP, with or without `a=`
 * @returns {Candidate|null}
 */
export function candidateOf(line) {
  if (typeof line !== 'string' || line.length > 1024) return null;
  const [, , protocol, , address, port, , type, ...rest] = line.trim().split(/\s+/);
  if (!line.includes('candidate:') || !type || !TYPES.has(type) || !protocol || !address) return null;
  /** @param {string} name */
  const after = (name) => (rest.indexOf(name) < 0 ? undefined : rest[rest.indexOf(name) + 1]);
  const [from, fromPort] = [after('raddr'), after('rport')];
  return {
    type, protocol: protocol.toLowerCase(), address, port: Number(port) || 0,
    related: from ? `${from} ${fromPort ?? ''}`.trim() : null, relayProtocol: null, url: null,
  };
}
