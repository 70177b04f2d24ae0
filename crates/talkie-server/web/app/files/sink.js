/**
 * Where a received file goes. Small ones are collected as a Blob, which the browser may keep on disk;
 * large ones are streamed to a file that the person picks, where the browser can do that.
 * @module
 */
import { inertMime } from './protocol.js';

/**
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<void>} write
 * @property {() => Promise<string|null>} finish a blob: address to save from; null: it is saved already
 * @property {() => Promise<void>} abort
 */

/** Up to this size a file is collected by the browser without asking where to. */
export const BLOB_LIMIT = 2 ** 31;
const FOLD = 16 * 2 ** 20;

/**
 * @param {{name: string, size: number, mime: string}} file
 * @returns {Promise<Sink|null>} null: the file is too big for what this browser offers
 */
export async function openSink(file) {
  if (file.size <= BLOB_LIMIT) return blobSink(inertMime(file.mime));
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  if (typeof picker !== 'function') return null;
  const handle = await picker({ suggestedName: file.name });
  return diskSink(await handle.createWritable());
}

/** @param {string} type @returns {Sink} */
function blobSink(type) {
  /** @type {Blob[]} */
  let folded = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let loose = [];
  let held = 0;
  const fold = () => {
    // A Blob's bytes leave the page's heap; buffers don't.
    if (loose.length) folded.push(new Blob(loose));
    loose = [];
    held = 0;
  };
  return {
    async write(bytes) {
      loose.push(bytes);
      held += bytes.byteLength;
      if (held >= FOLD) fold();
    },
    async finish() {
      fold();
      return URL.createObjectURL(new Blob(folded, { type }));
    },
    async abort() {
      folded = [];
      loose = [];
    },
  };
}

/** @param {FileSystemWritableFileStream} stream @returns {Sink} */
function diskSink(stream) {
  return {
    write: (bytes) => stream.write(bytes),
    finish: async () => {
      await stream.close();
      return null;
    },
    abort: () => stream.abort(),
  };
}
