/**
 * Hold and resume: while we hold, nothing of ours goes out and nothing comes in, and the others are told
 * so (`held` in the state message). The connections stay: every m-line is negotiated inactive, and
 * sendrecv again on resuming; where the other side holds too, the browsers agree on inactive until both
 * have resumed. Use: `call.hold.set(true)`; the store's `held` says what is.
 * @module
 */

/** @import {CallContext} from './feature.js' */

export class Hold {
  /** @param {CallContext} context @param {() => void} told tells the others how things stand */
  constructor(context, told) {
    this.context = context;
    this.told = told;
  }

  get on() {
    return this.context.store.get().held;
  }

  /** What the m-lines of a link are to be, also of one that begins now. @returns {RTCRtpTransceiverDirection} */
  direction() {
    return this.on ? 'inactive' : 'sendrecv';
  }

  /** @param {boolean} on */
  set(on) {
    if (on === this.on) return;
    this.context.store.set({ held: on });
    for (const link of this.context.links()) {
      link.trace.note(on ? 'held' : 'resumed');
      link.setDirection(this.direction());
    }
    this.told();
  }
}
