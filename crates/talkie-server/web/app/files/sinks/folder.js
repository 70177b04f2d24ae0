/**
 * Writes the files of an offer into a folder that the person picked, under their relative paths. Nothing
 * that is there already is touched: the first part of a path gets a number when its name is taken.
 * @module
 */
import { Splitter } from '../manifest.js';

/** @import {Entry} from '../manifest.js' */
/** @import {Sink} from './sink.js' */

/** Closing a file takes the browser a while; the next ones need not wait. */
const CLOSING_AT_ONCE = 16;

/**
 * @param {FileSystemDirectoryHandle} root
 * @param {readonly Entry[]} files
 * @returns {Promise<Sink>}
 */
export async function folderSink(root, files) {
  return new Folder(root, files);
}

class Folder {
  /** @type {Map<string, string>} what the first parts are called here */ #tops = new Map();
  /** @type {Map<string, Promise<FileSystemDirectoryHandle>>} */ #folders = new Map();
  /** @type {FileSystemWritableFileStream|null} */ #stream = null;
  /** @type {Set<Promise<void>>} */ #closing = new Set();

  /** @param {FileSystemDirectoryHandle} root @param {readonly Entry[]} files */
  constructor(root, files) {
    this.root = root;
    this.splitter = new Splitter(files);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  async write(bytes) {
    for (const { file, first, last, part } of this.splitter.feed(bytes)) {
      if (first) this.#stream = await this.#create(file.path);
      if (part.byteLength > 0) await this.#stream?.write(part);
      if (last) await this.#close();
    }
  }

  async finish() {
    // Files without a byte, behind the last one that has some.
    await this.write(new Uint8Array(0));
    await Promise.all(this.#closing);
    return null;
  }

  async abort() {
    await this.#stream?.abort().catch(() => {});
  }

  async #close() {
    const closing = /** @type {FileSystemWritableFileStream} */ (this.#stream).close();
    this.#stream = null;
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing), () => {});
    if (this.#closing.size >= CLOSING_AT_ONCE) await Promise.race(this.#closing);
  }

  /** @param {string} path */
  async #create(path) {
    const [top = '', ...rest] = path.split('/');
    const segments = [await this.#top(top), ...rest];
    const name = segments.pop() ?? 'file';
    const handle = await (await this.#folder(segments)).getFileHandle(name, { create: true });
    return handle.createWritable();
  }

  /** @param {string[]} segments @returns {Promise<FileSystemDirectoryHandle>} */
  #folder(segments) {
    if (segments.length === 0) return Promise.resolve(this.root);
    const key = segments.join('/');
    let handle = this.#folders.get(key);
    if (!handle) {
      const name = segments.at(-1) ?? '';
      handle = this.#folder(segments.slice(0, -1)).then((parent) => parent.getDirectoryHandle(name, { create: true }));
      this.#folders.set(key, handle);
    }
    return handle;
  }

  /** @param {string} wanted */
  async #top(wanted) {
    const known = this.#tops.get(wanted);
    if (known) return known;
    const [, stem = wanted, ending = ''] = /^(.*?)(\.[^.]{1,16})?$/s.exec(wanted) ?? [];
    let name = wanted;
    for (let n = 2; await exists(this.root, name); n += 1) name = `${stem} (${n})${ending}`;
    this.#tops.set(wanted, name);
    return name;
  }
}

/** @param {FileSystemDirectoryHandle} root @param {string} name */
async function exists(root, name) {
  try {
    await root.getFileHandle(name);
    return true;
  } catch (error) {
    return !(error instanceof DOMException && error.name === 'NotFoundError');
  }
}
