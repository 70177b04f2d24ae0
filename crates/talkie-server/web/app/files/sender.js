/**
 * One offer to one peer, at the end that sends. Reads two blocks ahead at most and keeps the
 * unacknowledged bytes within the window; when a chunk goes out is the lane's business. It outlives its
 * channel: what is not acknowledged is sent again over the next one.
 * @module
 */
import { pieces } from './manifest.js';
import { BLOCK, CHUNK, randomHex, WINDOW } from './protocol.js';

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

const BLOCKS_AHEAD = 2;

export class Sender {
  id = randomHex(16);
  token = randomHex(32);
  /** @type {Wire|null} */ #wire = null;
  /** @type {Lane|null} */ #lane = null;
  /** @type {{block: number, bytes: ArrayBuffer, digest: string}[]} */ #ready = [];
  /** Raised when what is being read is no longer wanted. */
  #epoch = 0;
  #reading = false;
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
    this.#epoch += 1;
    this.#reading = false;
    this.#ready = [];
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
    if (this.#over || this.#pausedHere || this.#pausedThere || !this.#wire?.open || this.#ready.length === 0) return false;
    return this.#sent - this.#acknowledged < WINDOW;
  }

  /** For the lane. @returns {number} */
  step() {
    const [now] = this.#ready;
    if (!now || !this.#wire) return 0;
    const at = this.#sent - now.block * BLOCK;
    const chunk = now.bytes.slice(at, at + CHUNK);
    this.#wire.send(chunk);
    this.#sent += chunk.byteLength;
    if (at + chunk.byteLength === now.bytes.byteLength) {
      this.#wire.tell({ type: 'digest', block: now.block, sha256: now.digest });
      this.#ready.shift();
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

  /** Reads ahead, one block after the other. */
  #fill() {
    const { size } = this.source;
    if (this.#over || !this.#wire || this.#reading) return;
    if (this.#nextBlock * BLOCK >= size) {
      if (this.#ready.length === 0 && !this.#ended) {
        this.#ended = true;
        this.#wire.tell({ type: 'end' });
      }
      return;
    }
    if (this.#ready.length < BLOCKS_AHEAD) void this.#read(this.#nextBlock++, this.#epoch);
  }

  /** @param {number} block @param {number} epoch */
  async #read(block, epoch) {
    this.#reading = true;
    try {
      const read = await this.source.read(block);
      if (epoch !== this.#epoch || this.#over) return;
      this.#reading = false;
      this.#ready.push({ block, ...read });
      this.#lane?.wake();
      this.#fill();
    } catch (error) {
      if (epoch !== this.#epoch || this.#over) return;
      console.warn('talkie: file', error);
      this.cancel('changed');
    }
  }

  /** @param {Report} report */
  #finish(report) {
    if (this.#over) return;
    this.#over = true;
    this.#ready = [];
    this.#lane?.remove(this);
    this.#wire?.close();
    this.#wire = null;
    this.report({ paused: null, ...report });
  }
}
