/**
 * The control channel of one link: what comes in passes the gate and is judged before anything else
 * sees it; what goes out is held back while the peer does not take it, so that one who never reads
 * cannot make us keep it all.
 * @module
 */
import { CONTROL_CHANNEL, parseControl } from './control.js';
import { Gate } from './gate.js';

/** @import {ControlMessage} from './control.js' */

/** What may wait for a peer that is slow; far more than an honest one ever leaves. */
const WAITING_BYTES = 1024 * 1024;

export class ControlChannel {
  #gate = new Gate();

  /**
   * @param {RTCPeerConnection} pc
   * @param {{opened: () => void, message: (message: ControlMessage) => void, flooded: () => void}} events
   */
  constructor(pc, events) {
    const channel = pc.createDataChannel(CONTROL_CHANNEL.label, { negotiated: true, id: CONTROL_CHANNEL.id });
    this.channel = channel;
    // The other side has no reason to send anything but text here; bytes count all the same.
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => events.opened();
    channel.onmessage = ({ data }) => {
      const verdict = this.#gate.admit(performance.now(), data.length ?? data.byteLength ?? 0);
      if (verdict === 'cut') return events.flooded();
      const message = verdict === 'take' ? parseControl(data) : null;
      if (message) events.message(message);
    };
  }

  /** @param {ControlMessage} message @returns {boolean} whether it could be sent */
  tell(message) {
    const { channel } = this;
    if (channel.readyState !== 'open' || channel.bufferedAmount > WAITING_BYTES) return false;
    channel.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.channel.onopen = null;
    this.channel.onmessage = null;
  }
}
