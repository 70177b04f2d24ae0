/**
 * Gathering candidates from ICE servers, live: each candidate and each error as it comes, until
 * gathering is complete or patience ends. One connection by itself, with a data channel and no peer.
 * @module
 */
import { decodePriority, parseCandidate } from '../candidate.js';
import { judge, PATIENCE_MS } from './leg.js';
import { judgeMapping } from './mapping.js';
import { eachUrl, iceServer, serverOf } from './servers.js';

/** @import {Here, IceError} from './leg.js' */
/** @import {Mapping} from './mapping.js' */
/** @import {Server} from './servers.js' */
/** @import {Gathered, LegResult} from './verdict.js' */

/**
 * @typedef {Gathered & {kind: 'candidate', ms: number, priority: number, parts: {type: number, local: number, component: number},
 *   foundation: string, component: number, tcpType: string, relayProtocol: string, url: string|null}} CandidateRow `url` as `serverOf` has it
 */
/** @typedef {{kind: 'error', ms: number, code: number, text: string, url: string, address: string}} ErrorRow */
/** @typedef {CandidateRow|ErrorRow} Row */

const MAX_TEXT = 200;

/**
 * @param {{servers: readonly Server[], policy: RTCIceTransportPolicy, patience?: number, signal?: AbortSignal, row?: (row: Row) => void, enough?: (row: Row) => boolean}} how
 *   `enough`: stop early, when what was wanted is known
 * @returns {Promise<{complete: boolean, thrown: string|null, ms: number, rows: Row[]}>}
 */
export async function gather({ servers, policy, patience = PATIENCE_MS, signal, row = () => {}, enough = () => false }) {
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  /** @type {Row[]} */
  const rows = [];
  /** @type {RTCPeerConnection|null} */
  let connection = null;
  try {
    connection = new RTCPeerConnection({ iceServers: servers.map(iceServer), iceTransportPolicy: policy });
    const complete = await watch(connection, { servers, patience, signal, enough, ms, row: (one) => (rows.push(one), row(one)) });
    return { complete, thrown: null, ms: ms(), rows };
  } catch (error) {
    return { complete: true, thrown: String(error).slice(0, MAX_TEXT), ms: ms(), rows };
  } finally {
    connection?.close();
  }
}

/**
 * @param {RTCPeerConnection} connection
 * @param {{servers: readonly Server[], patience: number, signal: AbortSignal|undefined, ms: () => number, row: (row: Row) => void, enough: (row: Row) => boolean}} how
 * @returns {Promise<boolean>} whether it ended by itself
 */
function watch(connection, { servers, patience, signal, ms, row, enough }) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), patience);
    const end = (/** @type {boolean} */ complete) => (clearTimeout(timer), resolve(complete));
    signal?.addEventListener('abort', () => end(false));
    const take = (/** @type {Row} */ one) => {
      row(one);
      if (enough(one)) end(true);
    };
    connection.onicecandidate = ({ candidate }) => {
      const read = candidate?.candidate ? candidateRow(candidate, ms(), servers) : null;
      if (read) take(read);
    };
    connection.addEventListener('icecandidateerror', (event) => take(errorRow(/** @type {RTCPeerConnectionIceErrorEvent} */ (event), ms())));
    // In a task of its own: the last candidates and errors come first.
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && setTimeout(() => end(true), 0);
    connection.createDataChannel('');
    connection.setLocalDescription().catch(reject);
  });
}

/** @param {RTCIceCandidate} candidate @param {number} ms @param {readonly Server[]} servers @returns {CandidateRow|null} */
function candidateRow(candidate, ms, servers) {
  const read = parseCandidate(candidate.candidate);
  if (!read) return null;
  const { type, protocol, address, port, priority, foundation, component, tcpType, relatedAddress, relatedPort } = read;
  // On newer browsers only; TypeScript's library does not have them all.
  const { relayProtocol: via, url: said } = /** @type {{relayProtocol?: unknown, url?: unknown}} */ (candidate);
  const relayProtocol = typeof via === 'string' ? via : '';
  return {
    kind: 'candidate', ms, type, protocol, address, port, priority, parts: decodePriority(priority), foundation, component,
    tcpType: tcpType ?? '', relatedAddress, relatedPort,
    relayProtocol, url: serverOf({ type, relayProtocol, url: typeof said === 'string' ? said : '' }, servers),
  };
}

/** @param {RTCPeerConnectionIceErrorEvent} event @param {number} ms @returns {ErrorRow} */
function errorRow({ errorCode, errorText, url, address, port }, ms) {
  return { kind: 'error', ms, code: errorCode, text: String(errorText ?? '').slice(0, MAX_TEXT), url: String(url ?? ''), address: address ? `${address}:${port ?? ''}` : '' };
}

/**
 * One server asked by itself, so that what is heard is about it.
 * @param {Server} server @param {Here} here @param {AbortSignal} [signal]
 * @returns {Promise<LegResult & {rows: Row[]}>}
 */
export async function askAlone(server, here, signal) {
  const relayed = server.leg !== 'stun';
  const wanted = (/** @type {Row} */ row) => row.kind === 'candidate' && row.type === (relayed ? 'relay' : 'srflx');
  const heard = await gather({ servers: [server], policy: relayed ? 'relay' : 'all', signal, enough: (row) => wanted(row) || (row.kind === 'error' && row.code < 700) });
  /** @type {IceError[]} */
  const errors = heard.rows.flatMap((row) => (row.kind === 'error' ? [{ code: row.code, text: row.text, ms: row.ms }] : []));
  // Without a NAT a browser need not show a reflexive candidate: it would be the host's own again.
  const known = !relayed && heard.complete && errors.length === 0 && heard.thrown === null && heard.rows.length > 0;
  const { outcome, code } = judge(server, { ...heard, candidate: known || heard.rows.some(wanted), errors }, here);
  return { server, outcome, code, ms: heard.rows.find(wanted)?.ms ?? heard.ms, rows: heard.rows };
}

/**
 * What the NAT does with one socket that asks all of `urls`.
 * @param {readonly string[]} urls of the same server @param {Here} here @param {AbortSignal} [signal]
 * @returns {Promise<Mapping|null>}
 */
export async function askMapping(urls, here, signal) {
  const servers = eachUrl([{ urls }]);
  if (servers.length < 2) return null;
  const [together, ...alone] = await Promise.all([gather({ servers, policy: 'all', signal }), ...servers.map((server) => askAlone(server, here, signal))]);
  return judgeMapping({
    complete: together.complete, candidates: together.rows.filter((row) => row.kind === 'candidate'),
    alone: alone.map(({ server, outcome }) => ({ host: server.host, port: server.port, outcome })),
  });
}
