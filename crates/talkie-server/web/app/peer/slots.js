/**
 * Which m-line carries what. The first offer makes all four of them, always in this order and always
 * sendrecv; a track is put in or taken out with replaceTrack. So switching a camera or sharing a screen
 * needs no renegotiation, cannot collide with the other side's, and the screen never displaces the
 * camera. The other side finds the slots by kind and order, which a peer that offers fewer also can.
 * @module
 */

/** @import {Slot} from '../types.js' */

/** @type {readonly (readonly [Slot, 'audio'|'video'])[]} */
const ORDER = [
  ['mic', 'audio'],
  ['camera', 'video'],
  ['screen', 'video'],
  ['screenAudio', 'audio'],
];

export const SLOTS = ORDER.map(([slot]) => slot);

/** @typedef {Map<Slot, RTCRtpTransceiver>} Slots */

/**
 * Tracks of one stream are played in step; which stream, the SDP's msid says.
 * @typedef {{person: MediaStream, screen: MediaStream}} Streams
 */

/** @param {Slot} slot @param {Streams} streams */
const streamOf = (slot, streams) => (slot === 'mic' || slot === 'camera' ? streams.person : streams.screen);

/**
 * @typedef {object} SlotContext
 * @property {Streams} streams
 * @property {ReadonlyMap<Slot, MediaStreamTrack>} tracks
 * @property {() => RTCRtpTransceiverDirection} direction
 */

/**
 * @param {RTCPeerConnection} pc
 * @param {SlotContext} context
 * @returns {Slots}
 */
export function offerSlots(pc, { streams, tracks, direction }) {
  return new Map(
    ORDER.map(([slot, kind]) => {
      const init = { direction: direction(), streams: [streamOf(slot, streams)] };
      return [slot, pc.addTransceiver(tracks.get(slot) ?? kind, init)];
    }),
  );
}

/**
 * After the first remote offer was set, before it is answered.
 * @param {RTCPeerConnection} pc
 * @param {SlotContext} context
 * @returns {Promise<Slots>}
 */
export async function answerSlots(pc, { streams, tracks, direction }) {
  const free = pc.getTransceivers();
  /** @type {Slots} */
  const slots = new Map();
  for (const [slot, kind] of ORDER) {
    const at = free.findIndex((t) => t.receiver.track.kind === kind);
    const [transceiver] = at < 0 ? [] : free.splice(at, 1);
    if (!transceiver) continue;
    transceiver.direction = direction();
    transceiver.sender.setStreams?.(streamOf(slot, streams));
    await transceiver.sender.replaceTrack(tracks.get(slot) ?? null);
    slots.set(slot, transceiver);
  }
  return slots;
}
