/**
 * Our candidates on their way to the peer: those found within a moment share a message.
 * @module
 */

const GATHER_MS = 20;

export class Gathered {
  /** @type {RTCIceCandidate[]} */ #candidates = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /** @param {(candidates: RTCIceCandidate[]) => void} send */
  constructor(send) {
    this.send = send;
  }

  /** @param {RTCIceCandidate} candidate */
  add(candidate) {
    this.#candidates.push(candidate);
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#candidates.length > 0) this.send(this.#candidates.splice(0));
  }

  close() {
    clearTimeout(this.#timer);
    this.#candidates = [];
  }
}
