/**
 * One offer to one peer, at the end that sends. Reads a few blocks ahead and keeps the
 * unacknowledged bytes within the window; when a chunk goes out is the lane's business. It outlives its
 * channel: what is not acknowledged is sent again over the next one.
 * @module
 */
import { pieces } from './manifest.js';
import { BLOCK, randomHex, WINDOW } from './protocol.js';

/** @import {TransferState} from '../types.js' */
/** @import {Lane} from './lane.js' */
/** @import {FileMessage} from './protocol.js' */
/** @import {Source} from './source.js' */
/** @import {Wire} from './wire.js' */

/**
 * @typedef {object} Report
 * @property {TransferState} [state]
 * @property {number} [bytes]
 * @property {boolean|null} [verified]
 * @property {string|null} [reason]
 * @property {string|null} [url]
 * @property {'us'|'them'|null} [paused]
 */

/** Enough that the connection never waits for the disk or the digest. */
const BLOCKS_AHEAD = 3;

export class Sender {
  id = randomHex(16);
  token = randomHex(32);
  /** @type {Wire|null} */ #wire = null;
  /** @type {Lane|null} */ #lane = null;
  /** In order; those without `read` are being read. @type {{block: number, read?: {bytes: ArrayBuffer, digest: string}}[]} */ #ahead = [];
  #nextBlock = 0;
  #sent = 0;
  #acknowledged = 0;
  #accepted = false;
  #ended = false;
  #over = false;
  #pausedHere = false;
  #pausedThere = false;

  /** @param {Source} source @param {(report: Report) => void} report */
  constructor(source, report) {
    this.source = source;
    this.report = report;
  }

  get over() {
    return this.#over;
  }

  get wire() {
    return this.#wire;
  }

  get accepted() {
    return this.#accepted;
  }

  /** @param {Wire} wire open @param {Lane} lane */
  offer(wire, lane) {
    if (this.#over) return wire.close();
    this.#attach(wire, lane);
    const { name, mime, size, folder, files } = this.source;
    wire.tell({ type: 'offer', id: this.id, token: this.token, name, mime, size, count: files.length, folder });
    for (const piece of pieces(files)) wire.tell(piece);
  }

  /** Both ends have proved who they are; the receiver has so much. @param {Wire} wire @param {Lane} lane @param {number} bytes */
  resume(wire, lane, bytes) {
    const { size } = this.source;
    if (this.#over || bytes > size || (bytes % BLOCK !== 0 && bytes !== size)) return wire.close();
    this.#ahead = [];
    this.#nextBlock = Math.ceil(bytes / BLOCK);
    this.#sent = bytes;
    this.#acknowledged = bytes;
    this.#ended = false;
    this.#pausedThere = false;
    this.#attach(wire, lane);
    if (this.#pausedHere) wire.tell({ type: 'pause', paused: true });
    this.report({ state: 'active', bytes, paused: this.#pausedHere ? 'us' : null });
    this.#fill();
  }

  /** @param {boolean} paused */
  pause(paused) {
    if (this.#over || !this.#accepted) return;
    this.#pausedHere = paused;
    this.#wire?.tell({ type: 'pause', paused });
    this.#showPause();
  }

  /** @param {string} [reason] */
  cancel(reason = 'cancelled') {
    if (this.#over) return;
    this.#wire?.tell({ type: 'cancel', reason });
    this.#finish(reason === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', reason });
  }

  /** @param {string} reason that concerns us alone */
  fail(reason) {
    this.#finish({ state: 'failed', reason });
  }

  /** For the lane. */
  get buffered() {
    return this.#wire?.buffered ?? 0;
  }

  /** For the lane. @param {number} bytes */
  drainedAt(bytes) {
    this.#wire?.drainedAt(bytes);
  }

  /** For the lane: whether a chunk may go out now. */
  get ready() {
    if (this.#over || this.#pausedHere || this.#pausedThere || !this.#wire?.open || !this.#ahead[0]?.read) return false;
    return this.#sent - this.#acknowledged < WINDOW;
  }

  /** For the lane. @param {number} most @returns {number} */
  step(most) {
    const [now] = this.#ahead;
    if (!now?.read || !this.#wire) return 0;
    const { bytes, digest } = now.read;
    const at = this.#sent - now.block * BLOCK;
    const chunk = new Uint8Array(bytes, at, Math.min(most, this.#wire.longest, bytes.byteLength - at));
    this.#wire.send(chunk);
    this.#sent += chunk.byteLength;
    if (at + chunk.byteLength === bytes.byteLength) {
      this.#wire.tell({ type: 'digest', block: now.block, sha256: digest });
      this.#ahead.shift();
      this.#fill();
    }
    return chunk.byteLength;
  }

  /** @param {Wire} wire @param {Lane} lane */
  #attach(wire, lane) {
    this.#wire = wire;
    this.#lane = lane;
    wire.drained = () => lane.wake();
    wire.listen({
      message: (message) => this.#receive(message),
      chunk: () => this.cancel('protocol'),
      garbage: () => this.cancel('protocol'),
      closed: () => this.#lost(),
    });
    lane.add(this);
  }

  #lost() {
    this.#lane?.remove(this);
    this.#wire = null;
    if (this.#over) return;
    // Nobody is known to be at the other end before the offer is accepted.
    if (!this.#accepted) return this.fail('lost');
    this.report({ state: 'interrupted', paused: null });
  }

  /** @param {FileMessage} message */
  #receive(message) {
    switch (message.type) {
      case 'accept':
        if (this.#accepted) return;
        this.#accepted = true;
        this.report({ state: 'active' });
        return this.#fill();
      case 'decline':
        return this.#finish({ state: 'declined' });
      case 'ack':
        this.#acknowledged = Math.max(this.#acknowledged, Math.min(message.bytes, this.#sent));
        this.report({ bytes: this.#acknowledged });
        return this.#lane?.wake();
      case 'pause':
        this.#pausedThere = message.paused;
        return this.#showPause();
      case 'done':
        if (this.#ended) this.#finish({ state: 'done', bytes: this.source.size, verified: message.verified });
        return undefined;
      case 'cancel':
        return this.#finish(message.reason === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', reason: message.reason });
      default:
        return undefined;
    }
  }

  #showPause() {
    this.report({ paused: this.#pausedHere ? 'us' : this.#pausedThere ? 'them' : null, state: 'active' });
    this.#lane?.wake();
  }

  /** Reads ahead, and tells when there is no more. */
  #fill() {
    if (this.#over || !this.#wire) return;
    while (this.#ahead.length < BLOCKS_AHEAD && this.#nextBlock * BLOCK < this.source.size) {
      const slot = { block: this.#nextBlock++ };
      this.#ahead.push(slot);
      void this.#read(slot);
    }
    if (this.#ahead.length > 0 || this.#ended) return;
    this.#ended = true;
    this.#wire.tell({ type: 'end' });
  }

  /** @param {{block: number, read?: {bytes: ArrayBuffer, digest: string}}} slot */
  async #read(slot) {
    try {
      slot.read = await this.source.read(slot.block);
      if (slot === this.#ahead[0]) this.#lane?.wake();
    } catch (error) {
      // What a resumption no longer wants may fail.
      if (!this.#ahead.includes(slot)) return;
      console.warn('talkie: file', error);
      this.cancel('changed');
    }
  }

  /** @param {Report} report */
  #finish(report) {
    if (this.#over) return;
    this.#over = true;
    this.#ahead = [];
    this.#lane?.remove(this);
    this.#wire?.close();
    this.#wire = null;
    this.report({ paused: null, ...report });
  }
}
