/**
 * From a getStats report to the few counters that matter, the same for all browsers. Chromium names the
 * selected pair in its transport and says why quality is limited; Firefox marks the pair itself, has no
 * availableOutgoingBitrate and no limitation reason: what is not told is null, never zero. Pure; a report
 * goes in as a list of entries.
 * @module
 */
import { readPath, selectedPair } from '../peer/badge.js';

/** @import {PeerPath} from '../types.js' */
/** @typedef {Record<string, any>} Stat */

/**
 * @typedef {object} Stream counters of one direction of one kind, all of its m-lines together
 * @property {number} bytes
 * @property {number} packets
 * @property {number} lost in: by our count; out: by the peer's
 * @property {number|null} fractionLost out: as the peer last reported it
 * @property {number|null} jitter seconds
 * @property {number} nack
 * @property {string|null} codec
 */

/**
 * @typedef {object} Picture
 * @property {number|null} width
 * @property {number|null} height
 * @property {number} frames
 * @property {number|null} fps as the browser says it
 * @property {string|null} codec
 * @property {number} bytes
 * @property {number} pli
 * @property {number} freezes
 * @property {string|null} limitation
 */

/** @typedef {{audio: Stream, video: Stream, camera: Picture|null, screen: Picture|null}} Direction */

/**
 * @typedef {object} Reading
 * @property {number} at milliseconds since 1970
 * @property {PeerPath|null} path
 * @property {PairReading|null} pair
 * @property {number|null} rtt seconds, from the pair or else from RTCP
 * @property {number|null} available bit/s, what the browser believes can be sent
 * @property {{delay: number, emitted: number}} audioBuffer of the jitter buffer, in seconds times samples
 * @property {{delay: number, emitted: number}} videoBuffer
 * @property {Direction} in
 * @property {Direction} out
 */

/** @typedef {{id: string, local: End, remote: End}} PairReading */
/** @typedef {{type: string, protocol: string, address: string, port: number, relayProtocol: string|null, network: string|null}} End */

/**
 * @param {Iterable<Stat>} report
 * @param {{camera?: string|null, screen?: string|null}} mids which m-line is the camera's, which the screen's
 * @returns {Reading}
 */
export function read(report, mids = {}) {
  const byId = new Map([...report].map((stat) => [stat.id, stat]));
  const all = [...byId.values()];
  /** @param {string} type @param {string} kind */
  const of = (type, kind) => all.filter((s) => s.type === type && (s.kind ?? s.mediaType) === kind);
  const pair = selectedPair(byId);
  const incoming = { audio: of('inbound-rtp', 'audio'), video: of('inbound-rtp', 'video') };
  const outgoing = { audio: of('outbound-rtp', 'audio'), video: of('outbound-rtp', 'video') };
  const heard = [...of('remote-inbound-rtp', 'audio'), ...of('remote-inbound-rtp', 'video')];
  return {
    at: Math.max(0, ...all.map((s) => Number(s.timestamp) || 0)),
    path: readPath(all),
    pair: pair && readPair(pair, byId),
    rtt: number(pair?.currentRoundTripTime) ?? largest(heard.map((s) => s.roundTripTime)),
    available: number(pair?.availableOutgoingBitrate),
    audioBuffer: buffer(incoming.audio),
    videoBuffer: buffer(incoming.video),
    in: {
      audio: received(incoming.audio, byId),
      video: received(incoming.video, byId),
      camera: picture(incoming.video, mids.camera, 0, byId),
      screen: picture(incoming.video, mids.screen, 1, byId),
    },
    out: {
      audio: sent(outgoing.audio, of('remote-inbound-rtp', 'audio'), byId),
      video: sent(outgoing.video, of('remote-inbound-rtp', 'video'), byId),
      camera: picture(outgoing.video, mids.camera, 0, byId),
      screen: picture(outgoing.video, mids.screen, 1, byId),
    },
  };
}

/** @param {Stat} pair @param {Map<string, Stat>} byId @returns {PairReading} */
function readPair(pair, byId) {
  /** @param {string} id @returns {End} */
  const end = (id) => {
    const c = byId.get(id) ?? {};
    return {
      type: String(c.candidateType ?? ''), protocol: String(c.protocol ?? ''), address: String(c.address ?? c.ip ?? ''),
      port: Number(c.port) || 0, relayProtocol: c.relayProtocol ?? null, network: c.networkType ?? null,
    };
  };
  return { id: String(pair.id), local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) };
}

/** @param {Stat[]} streams @param {Map<string, Stat>} byId @returns {Stream} */
function received(streams, byId) {
  return {
    bytes: sum(streams, 'bytesReceived'), packets: sum(streams, 'packetsReceived'), lost: sum(streams, 'packetsLost'),
    fractionLost: null, jitter: largest(streams.map((s) => s.jitter)), nack: sum(streams, 'nackCount'), codec: codecOf(busiest(streams), byId),
  };
}

/** @param {Stat[]} streams @param {Stat[]} heard what the peer reports of them @param {Map<string, Stat>} byId @returns {Stream} */
function sent(streams, heard, byId) {
  return {
    bytes: sum(streams, 'bytesSent'), packets: sum(streams, 'packetsSent'), lost: sum(heard, 'packetsLost'),
    fractionLost: largest(heard.map((s) => s.fractionLost)), jitter: largest(heard.map((s) => s.jitter)),
    nack: sum(streams, 'nackCount'), codec: codecOf(busiest(streams), byId),
  };
}

/**
 * @param {Stat[]} streams
 * @param {string|null|undefined} mid
 * @param {number} place among them when the m-line is not known
 * @param {Map<string, Stat>} byId
 * @returns {Picture|null}
 */
function picture(streams, mid, place, byId) {
  const stream = mid ? streams.find((s) => s.mid === mid) : streams[place];
  if (!stream) return null;
  return {
    width: number(stream.frameWidth) || null, height: number(stream.frameHeight) || null,
    frames: stream.framesDecoded ?? stream.framesEncoded ?? 0, fps: number(stream.framesPerSecond),
    codec: codecOf(stream, byId), bytes: stream.bytesReceived ?? stream.bytesSent ?? 0,
    pli: stream.pliCount ?? 0, freezes: stream.freezeCount ?? 0, limitation: stream.qualityLimitationReason ?? null,
  };
}

/** @param {Stat|undefined} stream @param {Map<string, Stat>} byId */
function codecOf(stream, byId) {
  const type = byId.get(stream?.codecId)?.mimeType;
  return typeof type === 'string' ? type.split('/')[1] ?? type : null;
}

/** @param {Stat[]} streams @returns {Stat|undefined} */
const busiest = (streams) => streams.toSorted((a, b) => (b.bytesReceived ?? b.bytesSent ?? 0) - (a.bytesReceived ?? a.bytesSent ?? 0))[0];

/** @param {Stat[]} streams */
const buffer = (streams) => ({ delay: sum(streams, 'jitterBufferDelay'), emitted: sum(streams, 'jitterBufferEmittedCount') });

/** @param {Stat[]} list @param {string} field */
const sum = (list, field) => list.reduce((all, s) => all + (number(s[field]) ?? 0), 0);

/** @param {unknown} value @returns {number|null} */
const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** @param {unknown[]} values @returns {number|null} */
function largest(values) {
  const known = values.map(number).filter((v) => v !== null);
  return known.length > 0 ? Math.max(...known) : null;
}
