/**
 * Sends one file to one peer over a channel of its own. Reads a block ahead at most, keeps the
 * channel's buffer low and the unacknowledged bytes within the window.
 * @module
 */
import { BLOCK, blockLength, CHUNK, parseFileMessage, sha256, WINDOW } from './protocol.js';

/** @import {TransferState} from '../types.js' */

/**
 * A file on its way to several peers is read for each, but hashed once.
 */
export class Source {
  /** @type {Map<number, Promise<string|null>>} */ #digests = new Map();

  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.group = `g${Math.random().toString(36).slice(2)}`;
  }

  /** @param {number} block */
  async read(block) {
    const start = block * BLOCK;
    const bytes = await this.file.slice(start, start + blockLength(this.file.size, block)).arrayBuffer();
    if (bytes.byteLength !== blockLength(this.file.size, block)) throw new Error('the file changed');
    let digest = this.#digests.get(block);
    if (!digest) this.#digests.set(block, (digest = sha256(bytes)));
    return { bytes, digest: await digest };
  }
}

/**
 * @typedef {object} Report
 * @property {TransferState} [state]
 * @property {number} [bytes]
 * @property {boolean|null} [verified]
 * @property {string|null} [reason]
 * @property {string|null} [url]
 */

/** The channel asks for more when less than this is in its buffer. */
const LOW_WATER = 4 * CHUNK;
const HIGH_WATER = 16 * CHUNK;

export class Sender {
  #acknowledged = 0;
  #over = false;
  /** Wakes the loop when the window opened or the buffer drained. */
  #wake = () => {};

  /**
   * @param {Source} source
   * @param {RTCDataChannel} channel
   * @param {(report: Report) => void} report
   */
  constructor(source, channel, report) {
    this.source = source;
    this.channel = channel;
    this.report = report;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER;
    channel.onbufferedamountlow = () => this.#wake();
    channel.onopen = () => this.#offer();
    channel.onmessage = ({ data }) => this.#receive(data);
    channel.onclose = () => this.#finish({ state: 'failed', reason: 'lost' });
  }

  cancel() {
    if (this.#over) return;
    this.#tell({ type: 'cancel', reason: 'cancelled' });
    this.#finish({ state: 'cancelled' });
  }

  #offer() {
    const { name, size, type } = this.source.file;
    this.#tell({ type: 'offer', name, size, mime: type });
  }

  /** @param {unknown} data */
  #receive(data) {
    const message = typeof data === 'string' ? parseFileMessage(data) : null;
    if (!message || this.#over) return;
    switch (message.type) {
      case 'accept':
        this.report({ state: 'active' });
        void this.#pour();
        break;
      case 'decline':
        this.#finish({ state: 'declined' });
        break;
      case 'ack':
        this.#acknowledged = Math.max(this.#acknowledged, Math.min(message.bytes, this.source.file.size));
        this.report({ bytes: this.#acknowledged });
        this.#wake();
        break;
      case 'done':
        this.#finish({ state: 'done', bytes: this.source.file.size, verified: message.verified });
        break;
      case 'cancel':
        this.#finish(message.reason === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', reason: message.reason });
        break;
      default:
    }
  }

  async #pour() {
    const { size } = this.source.file;
    try {
      for (let block = 0; block * BLOCK < size; block += 1) {
        const { bytes, digest } = await this.source.read(block);
        for (let at = 0; at < bytes.byteLength; at += CHUNK) {
          await this.#room(block * BLOCK + at);
          if (this.#over) return;
          this.channel.send(bytes.slice(at, at + CHUNK));
        }
        this.#tell({ type: 'digest', block, sha256: digest });
      }
      this.#tell({ type: 'end' });
    } catch (error) {
      if (this.#over) return;
      console.warn('talkie: file', error);
      this.#tell({ type: 'cancel', reason: 'changed' });
      this.#finish({ state: 'failed', reason: 'changed' });
    }
  }

  /** Until the byte at this offset may be handed to the channel. @param {number} offset */
  async #room(offset) {
    while (!this.#over && (this.channel.bufferedAmount > HIGH_WATER || offset - this.#acknowledged >= WINDOW)) {
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
  }

  /** @param {import('./protocol.js').FileMessage} message */
  #tell(message) {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(message));
  }

  /** @param {Report} report */
  #finish(report) {
    if (this.#over) return;
    this.#over = true;
    this.#wake();
    this.channel.close();
    this.report(report);
  }
}
