/**
 * Keeps a file in the origin's database while it arrives, in pieces, and offers it for saving from there:
 * for where there are no private files, as in Firefox's private windows, whose database is on the disk all the same
 * (encrypted with a key that goes with the window). Each tab has a database of its own, see claim.js.
 * @module
 */
import { inertMime } from '../protocol.js';
import { claim, fits, ROOM } from './claim.js';

/** @import {Sink, Single} from './sink.js' */

const PIECES = 'pieces';
/** One file of the browser's each. */
const PIECE = 4 * 2 ** 20;

/** @type {Promise<IDBDatabase>|null} */
let database = null;
let files = 0;

/**
 * @param {Single} single
 * @returns {Promise<Sink|null>} null: none there, or no room
 */
export async function indexedSink({ size, mime }) {
  try {
    database ??= openDatabase();
    const within = await database;
    return (await fits(size)) ? new Pieces(within, inertMime(mime)) : null;
  } catch (error) {
    database = null;
    console.warn('talkie: no database', error);
    return null;
  }
}

/** @returns {Promise<IDBDatabase>} */
async function openDatabase() {
  const { name, isAlive } = await claim();
  for (const { name: left = '' } of await indexedDB.databases()) {
    if (left.startsWith(`${ROOM}/`) && !isAlive(left.slice(ROOM.length + 1))) indexedDB.deleteDatabase(left);
  }
  const opening = indexedDB.open(`${ROOM}/${name}`);
  opening.onupgradeneeded = () => opening.result.createObjectStore(PIECES);
  return settled(opening);
}

/** @implements {Sink} */
class Pieces {
  #file = ++files;
  #count = 0;
  /** @type {Uint8Array<ArrayBuffer>[]} */ #parts = [];
  #held = 0;

  /** @param {IDBDatabase} within @param {string} type */
  constructor(within, type) {
    this.within = within;
    this.type = type;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  async write(bytes) {
    this.#parts.push(bytes);
    this.#held += bytes.byteLength;
    if (this.#held >= PIECE) await this.#flush();
  }

  async finish() {
    await this.#flush();
    // What comes back refers to files; it copies nothing.
    const pieces = await settled(this.#store('readonly').getAll(this.#mine));
    return URL.createObjectURL(new Blob(pieces, { type: this.type }));
  }

  async abort() {
    this.#parts = [];
    await settled(this.#store('readwrite').delete(this.#mine)).catch(() => {});
  }

  async #flush() {
    const store = this.#store('readwrite');
    store.put(new Blob(this.#parts), [this.#file, this.#count++]);
    this.#parts = [];
    this.#held = 0;
    await committed(store.transaction);
  }

  get #mine() {
    return IDBKeyRange.bound([this.#file, 0], [this.#file, Infinity]);
  }

  /** @param {IDBTransactionMode} mode */
  #store(mode) {
    return this.within.transaction(PIECES, mode).objectStore(PIECES);
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** A request succeeds before it is certain that the disk had room. @param {IDBTransaction} transaction */
function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = () => reject(transaction.error);
  });
}
