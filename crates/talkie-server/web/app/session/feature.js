/**
 * What a call is made of besides connecting: each feature is one class that listens to the control
 * messages it owns and to peers that come and go. Types only.
 * @module
 */

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {LocalMedia} from '../media/local.js' */

/**
 * @typedef {object} Feature
 * @property {Record<string, (link: Link, message: any) => void>} [on] control messages by type (peer/control.js)
 * @property {(link: Link) => void} [added] a peer is there; nothing is connected yet
 * @property {(link: Link) => void} [slots] its m-lines are there and not yet negotiated
 * @property {(link: Link) => void} [negotiated] both sides agree (again)
 * @property {(link: Link) => void} [opened] its control channel is open (again)
 * @property {(link: Link) => void} [connected] media can flow
 * @property {(link: Link) => void} [removed]
 * @property {() => void} [close] the call is over
 */

/**
 * @typedef {object} CallContext what features are given
 * @property {AppStore} store
 * @property {LocalMedia} local
 * @property {() => Link[]} links
 */

export {};
