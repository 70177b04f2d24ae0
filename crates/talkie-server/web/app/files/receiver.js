/**
 * One offer at the end that receives: nothing is taken before the person accepts, each block is checked
 * before it is stored and acknowledged after, and a sender that sends more than it may is cut off. It
 * outlives its channel: what is stored stays, and the next channel goes on behind it.
 * @module
 */
import { BlockAssembler, sha256 } from './blocks.js';
import { ManifestReader } from './manifest.js';
import { WINDOW } from './protocol.js';

/** @import {Manifest} from './manifest.js' */
/** @import {FileMessage, Offer} from './protocol.js' */
/** @import {Report} from './sender.js' */
/** @import {Sink} from './sinks/sink.js' */
/** @import {Wire} from './wire.js' */

/** The list has to be there within this time. */
const LIST_MS = 60_000;

export class Receiver {
  /** @type {Manifest|null} */ manifest = null;
  /** @type {BlockAssembler|null} */ #blocks = null;
  /** @type {Sink|null} */ #sink = null;
  /** @type {Promise<void>} */ #work = Promise.resolve();
  /** @type {Wire|null} */ #wire = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #listTimer;
  #list;
  #arrived = 0;
  #stored = 0;
  #opening = false;
  #over = false;
  #pausedHere = false;
  #pausedThere = false;
  #verified = /** @type {boolean|null} */ (true);

  /**
   * @param {Offer} offer
   * @param {Wire} wire
   * @param {{offered: (manifest: Manifest) => void, report: (report: Report) => void}} events
   *   `offered`: the whole list is here and harmless
   */
  constructor(offer, wire, events) {
    this.offer = offer;
    this.events = events;
    this.#list = new ManifestReader(offer);
    this.#attach(wire);
    this.#listTimer = setTimeout(() => this.manifest ?? this.cancel('list'), LIST_MS);
    const refusal = this.#list.refusal;
    if (refusal) this.cancel(refusal);
  }

  get over() {
    return this.#over;
  }

  get wire() {
    return this.#wire;
  }

  /**
   * Must be called from a click: picking where to save needs one.
   * @param {(manifest: Manifest) => Promise<Sink|null>} openSink null: too big for what this browser has
   */
  async accept(openSink) {
    if (!this.manifest || this.#opening || this.#blocks || this.#over) return;
    this.#opening = true;
    try {
      const sink = await openSink(this.manifest);
      if (!sink) return this.cancel('too-big');
      if (this.#over) return void sink.abort();
      this.#sink = sink;
    } catch (error) {
      // The picker was closed: the offer stands.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      console.warn('talkie: file', error);
      return this.cancel('storage');
    } finally {
      this.#opening = false;
    }
    this.#blocks = new BlockAssembler(this.manifest.size);
    this.#wire?.tell({ type: 'accept' });
    this.events.report({ state: 'active' });
  }

  decline() {
    this.#wire?.tell({ type: 'decline' });
    this.#finish({ state: 'declined' });
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

  /** @param {boolean} paused */
  pause(paused) {
    if (this.#over || !this.#blocks) return;
    this.#pausedHere = paused;
    this.#wire?.tell({ type: 'pause', paused });
    this.#showPause();
  }

  /** The sender has proved who it is. @param {Wire} wire */
  async resume(wire) {
    if (this.#over) return wire.close();
    this.#wire?.close();
    this.#attach(wire);
    // What arrived before the loss is still being stored.
    await this.#work;
    if (this.#over || this.#wire !== wire) return;
    this.#blocks?.forget();
    this.#arrived = this.#stored;
    this.#pausedThere = false;
    wire.tell({ type: 'at', bytes: this.#stored });
    if (this.#pausedHere) wire.tell({ type: 'pause', paused: true });
    this.events.report({ state: 'active', paused: this.#pausedHere ? 'us' : null });
  }

  /** Whether data may come, or only the offer stands. */
  get accepted() {
    return this.#blocks !== null;
  }

  /** @param {Wire} wire */
  #attach(wire) {
    this.#wire = wire;
    wire.listen({
      message: (message) => this.#receive(message),
      chunk: (chunk) => this.#chunk(chunk),
      garbage: () => this.cancel('protocol'),
      closed: () => this.#lost(),
    });
  }

  #lost() {
    this.#wire = null;
    if (this.#over) return;
    // An offer that nobody answered goes with its channel.
    if (!this.#blocks) return this.fail('lost');
    this.events.report({ state: 'interrupted', paused: null });
  }

  /** @param {FileMessage} message */
  #receive(message) {
    switch (message.type) {
      case 'files':
        return this.#listed(message.from, message.files);
      case 'digest':
        return this.#block(message.block, message.sha256);
      case 'end':
        return this.#then(() => this.#end());
      case 'pause':
        this.#pausedThere = message.paused;
        return this.#blocks ? this.#showPause() : undefined;
      case 'cancel':
        return this.#finish(message.reason === 'cancelled' ? { state: 'cancelled' } : { state: 'failed', reason: message.reason });
      default:
        return this.cancel('protocol');
    }
  }

  /** @param {number} from @param {readonly [string, number][]} files */
  #listed(from, files) {
    const manifest = this.manifest ? 'list' : this.#list.add(from, files);
    if (manifest === 'list') return this.cancel('list');
    if (!manifest) return;
    clearTimeout(this.#listTimer);
    this.manifest = manifest;
    this.events.offered(manifest);
  }

  /** @param {ArrayBuffer} chunk */
  #chunk(chunk) {
    this.#arrived += chunk.byteLength;
    // A fair sender stops at the window; some slack for acknowledgements on their way.
    if (!this.#blocks?.add(chunk) || this.#arrived - this.#stored > 2 * WINDOW) this.cancel('protocol');
  }

  /** @param {number} block @param {string|null} digest */
  #block(block, digest) {
    const bytes = this.#blocks?.take(block);
    if (!bytes) return this.cancel('protocol');
    const ours = digest === null ? Promise.resolve(null) : sha256(bytes);
    this.#then(async () => {
      const found = await ours;
      if (found !== digest) return this.cancel('damaged');
      if (found === null) this.#verified = null;
      // The sink may give the buffer away.
      const length = bytes.byteLength;
      await this.#sink?.write(bytes);
      this.#stored += length;
      this.#wire?.tell({ type: 'ack', bytes: this.#stored });
      this.events.report({ bytes: this.#stored });
    });
  }

  async #end() {
    if (!this.manifest || !this.#sink || this.#stored !== this.manifest.size) return this.cancel('protocol');
    const url = await this.#sink.finish();
    this.#sink = null;
    this.#wire?.tell({ type: 'done', verified: this.#verified });
    // The sender closes; closing here could overtake our last word.
    this.#finish({ state: 'done', bytes: this.#stored, verified: this.#verified, url }, false);
  }

  #showPause() {
    this.events.report({ paused: this.#pausedHere ? 'us' : this.#pausedThere ? 'them' : null, state: 'active' });
  }

  /** In order, and not after the end. @param {() => Promise<void>} step */
  #then(step) {
    this.#work = this.#work.then(async () => {
      if (this.#over) return;
      try {
        await step();
      } catch (error) {
        const reason = /** @type {any} */ (error)?.reason;
        if (reason !== 'cancelled') console.warn('talkie: file', error);
        this.cancel(reason === 'cancelled' ? reason : 'storage');
      }
    });
  }

  /** @param {Report} report @param {boolean} [close] */
  #finish(report, close = true) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#listTimer);
    void this.#sink?.abort().catch(() => {});
    this.#sink = null;
    this.#blocks?.forget();
    if (close) this.#wire?.close();
    else this.#wire?.listen(null);
    this.#wire = null;
    this.events.report({ paused: null, ...report });
  }
}
