/**
 * A file channel as its two ends use it: parsed messages and chunks in, and somebody who listens.
 * @module
 */
import { CHUNK, LARGE_CHUNK, parseFileMessage } from './protocol.js';

/** @import {FileMessage} from './protocol.js' */

/**
 * @typedef {object} Listener
 * @property {(message: FileMessage) => void} message
 * @property {(chunk: ArrayBuffer) => void} chunk
 * @property {() => void} garbage something that is no message
 * @property {() => void} closed
 */

export class Wire {
  /** @type {Listener|null} */ #listener = null;
  #closed = false;
  #gone = () => {};
  /** The channel's buffer has drained. */
  drained = () => {};

  /** @param {RTCDataChannel} channel @param {number} [most] the longest message that the other end takes */
  constructor(channel, most = CHUNK) {
    this.channel = channel;
    this.longest = Math.min(most, LARGE_CHUNK);
    channel.binaryType = 'arraybuffer';
    channel.onbufferedamountlow = () => this.drained();
    channel.onclose = () => this.lost();
    channel.onmessage = ({ data }) => this.#receive(data);
  }

  get open() {
    return this.channel.readyState === 'open';
  }

  get buffered() {
    return this.channel.bufferedAmount;
  }

  /** @param {number} bytes when `drained` is called */
  drainedAt(bytes) {
    this.channel.bufferedAmountLowThreshold = bytes;
  }

  /** @param {Listener|null} listener */
  listen(listener) {
    this.#listener = listener;
  }

  /** @returns {Promise<boolean>} false: it will not open */
  async opened() {
    const { channel } = this;
    if (channel.readyState === 'connecting') {
      await new Promise((resolve) => {
        channel.onopen = resolve;
        this.#gone = () => resolve(undefined);
      });
    }
    return this.open;
  }

  /** @param {FileMessage} message */
  tell(message) {
    if (this.open) this.channel.send(JSON.stringify(message));
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk no longer than `longest` */
  send(chunk) {
    this.channel.send(chunk);
  }

  /** Ends it without a word to the listener. */
  close() {
    this.#closed = true;
    this.#listener = null;
    this.#gone();
    this.channel.close();
  }

  /** It closed, or its connection is gone (which Chromium does not say of one that was closed here). */
  lost() {
    if (this.#closed) return;
    const listener = this.#listener;
    this.close();
    listener?.closed();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (data instanceof ArrayBuffer) return this.#listener?.chunk(data);
    const message = typeof data === 'string' ? parseFileMessage(data) : null;
    return message ? this.#listener?.message(message) : this.#listener?.garbage();
  }
}
