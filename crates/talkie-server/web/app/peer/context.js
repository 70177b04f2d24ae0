/**
 * What a link is given by the call, and what it tells it. Types only.
 * @module
 */

/** @import {Phase, Slot} from '../types.js' */
/** @import {ControlMessage} from './control.js' */
/** @import {Link} from './link.js' */
/** @import {Streams} from './slots.js' */

/**
 * @typedef {object} LinkContext
 * @property {() => RTCConfiguration} config fresh at each call: credentials expire
 * @property {() => boolean} canSignal
 * @property {(to: string, payload: unknown) => void} signal
 * @property {Streams} streams
 * @property {ReadonlyMap<Slot, MediaStreamTrack>} tracks what we send at present
 * @property {() => RTCRtpTransceiverDirection} direction of all that is sent and received: inactive while we hold
 * @property {LinkEvents} events
 */

/**
 * @typedef {object} LinkEvents
 * @property {(link: Link, phase: Phase) => void} phase
 * @property {(link: Link) => void} control the control channel is open
 * @property {(link: Link, message: ControlMessage) => void} message
 * @property {(link: Link) => void} slots the m-lines are there and not yet negotiated
 * @property {(link: Link) => void} negotiated both sides agree (again)
 * @property {(link: Link) => void} dead its connection is beyond repair, and the side that offers is ours
 * @property {(link: Link) => void} flooded the peer sent far too much and was cut off
 * @property {(link: Link, slot: Slot) => void} media something changed in what comes in
 * @property {(link: Link, channel: RTCDataChannel) => void} channel
 */

export {};
