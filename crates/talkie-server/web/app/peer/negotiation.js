/**
 * Perfect negotiation (W3C WebRTC §10.7) of one connection, with one restriction: only the polite side,
 * which also made the first offer, makes offers. The other asks it for one. So offers do not collide in
 * the first place; a collision ends, between Firefox and Chromium, in an answer with the DTLS roles
 * exchanged, which Chromium refuses. A peer that offers all the same is dealt with by the book.
 * @module
 */

/** However often the other side asks for an offer, one in this time is enough. */
const ASKED_EVERY_MS = 300;

/**
 * @typedef {object} NegotiationEvents
 * @property {(description: RTCSessionDescription|null) => void} describe hands our description to the peer
 * @property {() => void} ask asks the peer for an offer
 * @property {() => void} settled both sides agree (again)
 */

export class Negotiation {
  #makingOffer = false;
  #owed = false;
  #wanted = false;
  #closed = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #askedTimer;
  /** The candidates of an offer that we ignored mean nothing. */
  ignoringOffer = false;

  /** @param {RTCPeerConnection} pc @param {boolean} polite @param {NegotiationEvents} events */
  constructor(pc, polite, events) {
    this.pc = pc;
    this.polite = polite;
    this.events = events;
    pc.onnegotiationneeded = () => this.needed();
    pc.onsignalingstatechange = () => {
      if (pc.signalingState === 'stable' && this.#owed) void this.#offer();
    };
  }

  /** Something has to be agreed anew: tracks, directions, codecs, or the way. */
  needed() {
    if (this.polite) return void this.#offer();
    this.#wanted = true;
    this.events.ask();
  }

  /** The other side wants an offer. */
  asked() {
    if (!this.polite || this.#closed) return;
    this.#askedTimer ??= setTimeout(() => {
      this.#askedTimer = undefined;
      void this.#offer();
    }, ASKED_EVERY_MS);
  }

  /** What was sent last may never have arrived. */
  resend() {
    if (this.pc.signalingState === 'have-local-offer') this.events.describe(this.pc.localDescription);
    else if (this.#wanted) this.events.ask();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#askedTimer);
    this.pc.onnegotiationneeded = null;
    this.pc.onsignalingstatechange = null;
  }

  /**
   * @param {RTCSessionDescriptionInit} description the peer's
   * @param {() => Promise<void>} [beforeAnswer]
   */
  async receive(description, beforeAnswer) {
    const { pc } = this;
    const collision = description.type === 'offer' && (this.#makingOffer || pc.signalingState !== 'stable');
    this.ignoringOffer = !this.polite && collision;
    if (this.ignoringOffer) return;
    // Late answers to an offer that was answered already (it was sent twice) mean nothing.
    if (description.type === 'answer' && pc.signalingState !== 'have-local-offer') return;
    if (description.type !== 'offer') return this.#conclude(description);
    await pc.setRemoteDescription(description);
    await beforeAnswer?.();
    await pc.setLocalDescription();
    this.#wanted = false;
    this.events.describe(pc.localDescription);
    this.events.settled();
  }

  async #offer() {
    if (this.#closed) return;
    this.#owed = this.#makingOffer || this.pc.signalingState !== 'stable';
    if (this.#owed) return;
    try {
      this.#makingOffer = true;
      await this.pc.setLocalDescription();
      this.events.describe(this.pc.localDescription);
    } catch (error) {
      if (!this.#closed) console.warn('talkie: offer', error);
    } finally {
      this.#makingOffer = false;
    }
  }

  /** @param {RTCSessionDescriptionInit} answer */
  async #conclude(answer) {
    const { pc } = this;
    try {
      await pc.setRemoteDescription(answer);
    } catch (error) {
      // An answer that cannot be applied must not leave us waiting for another one for ever.
      if (pc.signalingState === 'have-local-offer') await pc.setLocalDescription({ type: 'rollback' });
      throw error;
    }
    this.events.settled();
  }
}
