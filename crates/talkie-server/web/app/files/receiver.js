/**
 * Receives one file over its channel: nothing is taken before the person accepts, each block is checked
 * before it is stored and acknowledged after, and a sender that sends more than it may is cut off.
 * @module
 */
import { BlockAssembler, parseFileMessage, sha256, WINDOW } from './protocol.js';
import { openSink } from './sink.js';

/** @import {FileMessage} from './protocol.js' */
/** @import {Report} from './sender.js' */
/** @import {Sink} from './sink.js' */
/** @typedef {Extract<FileMessage, {type: 'offer'}>} Offer */

export class Receiver {
  /** @type {Offer|null} */ offer = null;
  /** @type {BlockAssembler|null} */ #blocks = null;
  /** @type {Sink|null} */ #sink = null;
  /** @type {Promise<void>} */ #work = Promise.resolve();
  #arrived = 0;
  #stored = 0;
  #over = false;
  /** @type {boolean|null} */ #verified = true;

  /**
   * @param {RTCDataChannel} channel
   * @param {{offered: (offer: Offer) => boolean, report: (report: Report) => void}} events
   *   `offered` returns false to turn the file down unseen
   */
  constructor(channel, events) {
    this.channel = channel;
    this.events = events;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.#receive(data);
    channel.onclose = () => {
      // What arrived before the close is still being stored.
      void this.#work.then(() => this.#finish({ state: 'failed', reason: 'lost' }));
    };
  }

  /** Must be called from a click: picking where to save needs one. */
  async accept() {
    if (!this.offer || this.#blocks || this.#over) return;
    let sink;
    try {
      sink = await openSink(this.offer);
    } catch (error) {
      // The picker was closed: the offer stands.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      return this.#fail('storage');
    }
    if (!sink) return this.#fail('too-big');
    if (this.#over || this.#blocks) return sink.abort();
    this.#sink = sink;
    this.#blocks = new BlockAssembler(this.offer.size);
    this.#tell({ type: 'accept' });
    this.events.report({ state: 'active' });
  }

  decline() {
    if (this.#over) return;
    this.#tell({ type: 'decline' });
    this.#finish({ state: 'declined' });
  }

  cancel() {
    if (this.#over) return;
    this.#tell({ type: 'cancel', reason: 'cancelled' });
    this.#finish({ state: 'cancelled' });
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#over) return;
    if (data instanceof ArrayBuffer) return this.#chunk(data);
    const message = typeof data === 'string' ? parseFileMessage(data) : null;
    if (!message) return this.#fail('protocol');
    switch (message.type) {
      case 'offer':
        if (this.offer) return this.#fail('protocol');
        this.offer = message;
        if (!this.events.offered(message)) this.decline();
        break;
      case 'digest':
        this.#block(message.block, message.sha256);
        break;
      case 'end':
        this.#then(() => this.#end());
        break;
      case 'cancel':
        this.#finish(message.reason === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', reason: message.reason });
        break;
      default:
    }
  }

  /** @param {ArrayBuffer} chunk */
  #chunk(chunk) {
    this.#arrived += chunk.byteLength;
    // A fair sender stops at the window; some slack for acknowledgements on their way.
    if (!this.#blocks?.add(chunk) || this.#arrived - this.#stored > 2 * WINDOW) this.#fail('protocol');
  }

  /** @param {number} block @param {string|null} digest */
  #block(block, digest) {
    const bytes = this.#blocks?.take(block);
    if (!bytes) return this.#fail('protocol');
    this.#then(async () => {
      const ours = digest === null ? null : await sha256(bytes);
      if (ours !== null && ours !== digest) return this.#fail('damaged');
      if (ours === null) this.#verified = null;
      await this.#sink?.write(bytes);
      this.#stored += bytes.byteLength;
      this.#tell({ type: 'ack', bytes: this.#stored });
      this.events.report({ bytes: this.#stored });
    });
  }

  async #end() {
    if (!this.offer || !this.#sink || this.#stored !== this.offer.size) return this.#fail('protocol');
    const url = await this.#sink.finish();
    this.#sink = null;
    this.#tell({ type: 'done', verified: this.#verified });
    // The sender closes; closing here could overtake our last word.
    this.#finish({ state: 'done', bytes: this.#stored, verified: this.#verified, url }, false);
  }

  /** In order, and not after the end. @param {() => Promise<void>} step */
  #then(step) {
    this.#work = this.#work.then(async () => {
      if (this.#over) return;
      try {
        await step();
      } catch (error) {
        console.warn('talkie: file', error);
        this.#fail('storage');
      }
    });
  }

  /** @param {string} reason */
  #fail(reason) {
    if (this.#over) return;
    this.#tell({ type: 'cancel', reason });
    this.#finish({ state: 'failed', reason });
  }

  /** @param {FileMessage} message */
  #tell(message) {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(message));
  }

  /** @param {Report} report @param {boolean} [close] */
  #finish(report, close = true) {
    if (this.#over) return;
    this.#over = true;
    void this.#sink?.abort().catch(() => {});
    this.#sink = null;
    if (close) this.channel.close();
    this.events.report(report);
  }
}
