/**
 * Saves a stream as an ordinary download of the browser, through the service worker (`/sw/download.js`):
 * nothing is held here, and a slow disk is felt at the sender. Null where that can't be had.
 * @module
 */
import { activeWorker, SAVING } from '../../worker.js';

/** @import {Sink, Single} from './sink.js' */

/** Addresses that the worker answers; below its own, so that the server need not allow them. */
const SAVES = '/sw/save/';
const INSTALL_MS = 15_000;
const READY_MS = 5000;
const START_MS = 15_000;
/** Workers are put to sleep after some 30 s without an event. */
const PING_MS = 8000;
/** A worker that hasn't answered for so long has forgotten the download. */
const SILENT_MS = 40_000;

/**
 * @param {Single} single
 * @returns {Promise<Sink|null>}
 */
export async function downloadSink({ name, size }) {
  const worker = await within(activeWorker(SAVING, SAVES), INSTALL_MS);
  if (!worker) return null;
  const download = new Download(worker, name, size);
  if (await download.start()) return download;
  await download.abort();
  return null;
}

class Download {
  #id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  #pulls = 0;
  #heard = 0;
  /** @type {'cancelled'|'storage'|null} */ #broken = null;
  #over = false;
  #wake = () => {};
  /** @type {(state: 'ready'|'started') => void} */ #reached = () => {};
  /** @type {ReturnType<typeof setInterval>|undefined} */ #pinging;

  /** @param {ServiceWorker} worker @param {string} name @param {number|null} size */
  constructor(worker, name, size) {
    this.worker = worker;
    this.name = name;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.onmessage = ({ data }) => this.#hear(data?.type);
    worker.postMessage({ type: 'talkie-save', id: this.#id, name, size }, [port2]);
  }

  /** @returns {Promise<boolean>} whether the browser has begun to save */
  async start() {
    if (!(await within(new Promise((resolve) => (this.#reached = (state) => state === 'ready' && resolve(true))), READY_MS))) return false;
    const started = new Promise((resolve) => (this.#reached = (state) => state === 'started' && resolve(true)));
    this.#follow();
    if (!(await within(started, START_MS))) return false;
    this.#heard = performance.now();
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    return true;
  }

  /** A link, because frames are forbidden here; the answer is an attachment, so the page stays. */
  #follow() {
    const link = document.createElement('a');
    link.href = `${SAVES}${this.#id}/${encodeURIComponent(this.name)}`;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes given away */
  async write(bytes) {
    while (this.#pulls === 0 && !this.#broken) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    if (this.#broken) throw new SinkError(this.#broken);
    this.#pulls -= 1;
    const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    this.port.postMessage(whole, [whole]);
  }

  async finish() {
    // Only when all is asked for and given has the worker taken the last piece.
    while (this.#pulls === 0 && !this.#broken) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    if (this.#broken) throw new SinkError(this.#broken);
    this.#close('end');
    return null;
  }

  async abort() {
    if (!this.#over) this.#close('abort');
  }

  /** @param {'end'|'abort'} type */
  #close(type) {
    this.#over = true;
    clearInterval(this.#pinging);
    this.port.postMessage({ type });
  }

  /** @param {unknown} type */
  #hear(type) {
    this.#heard = performance.now();
    if (type === 'ready' || type === 'started') this.#reached(type);
    else if (type === 'pull') this.#pulls += 1;
    else if (type === 'cancelled') this.#break('cancelled');
    this.#wake();
  }

  #ping() {
    this.worker.postMessage({ type: 'talkie-ping', id: this.#id });
    if (performance.now() - this.#heard > SILENT_MS) this.#break('storage');
  }

  /** @param {'cancelled'|'storage'} why */
  #break(why) {
    if (this.#over) return;
    this.#over = true;
    this.#broken = why;
    clearInterval(this.#pinging);
    this.#wake();
  }
}

/** Where the bytes were going is gone. */
export class SinkError extends Error {
  /** @param {'cancelled'|'storage'} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T|null>}
 */
function within(promise, ms) {
  return Promise.race([promise, new Promise((/** @type {(none: null) => void} */ resolve) => setTimeout(() => resolve(null), ms))]);
}
