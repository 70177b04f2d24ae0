/**
 * Where received files go, decided by what the browser has:
 *
 *  - `small`: collected as a Blob;
 *  - `kept`: the origin's private file system, saved from there when it is complete. Nobody has to pick a
 *    place first. Chromium only up to a size that memory has room for, because its private windows hold
 *    such files there and don't let a page know; Gecko always, because it keeps what a service worker
 *    answers in memory (1 GiB more for 1 GiB, Firefox 153);
 *  - `file`, `folder`: a place that the person picks (File System Access), written directly;
 *  - `download`: an ordinary download, streamed through the service worker.
 *
 * Gecko's private windows have no private files, and whatever else they store comes back by way of memory:
 * what is too big for that is refused before it is sent.
 *
 * Many files without a folder to put them in become one ZIP file.
 * @module
 */
import { inertMime } from '../protocol.js';

/** @import {Manifest} from '../manifest.js' */
/** @import {SavePlace} from '../../types.js' */

/**
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<void>} write the bytes are given away
 * @property {() => Promise<string|null>} finish a blob: address to save from; null: it is saved already
 * @property {() => Promise<void>} abort
 */
/** @typedef {{name: string, size: number, mime: string}} Single */

/** Up to this size a Blob will do. */
export const SMALL = 32 * 2 ** 20;
/** More is not put on the disk twice where there is another way. */
const KEPT = 2 ** 30;
/** What may have to be held in memory where there is nothing else; browsers put large Blobs on disk, but not all do. */
const IN_MEMORY = 256 * 2 ** 20;

const has = (/** @type {string} */ name) => typeof (/** @type {any} */ (globalThis)[name]) === 'function';
/** Safari before 26 writes to them in workers only. */
const writesPrivateFiles = () => has('FileSystemFileHandle') && 'createWritable' in FileSystemFileHandle.prototype;
/** @type {Promise<void>|undefined} */
let looking;
let hasPrivateFiles = false;

/** Private windows let only asking show that they have no private files. Before the first `placeFor`. */
export function lookForPlaces() {
  looking ??= (async () => {
    if (!globalThis.isSecureContext || !writesPrivateFiles()) return;
    await navigator.storage.getDirectory().then(() => (hasPrivateFiles = true), () => {});
  })();
  return looking;
}

const chromium = () => 'userAgentData' in navigator;
const gecko = () => globalThis.CSS?.supports?.('-moz-appearance', 'none') ?? false;

/** @param {Manifest} manifest */
export const isMany = ({ files, folder }) => folder || files.length > 1;

/**
 * @param {Manifest} manifest
 * @param {boolean} [zip] rather than a folder
 * @returns {SavePlace}
 */
export function placeFor(manifest, zip = false) {
  if (isMany(manifest) && !zip && has('showDirectoryPicker')) return 'folder';
  if (manifest.size <= SMALL) return 'small';
  if (!globalThis.isSecureContext) return manifest.size <= IN_MEMORY ? 'small' : 'none';
  if (hasPrivateFiles && (gecko() || manifest.size <= (chromium() ? IN_MEMORY : KEPT))) return 'kept';
  if (has('showSaveFilePicker')) return 'file';
  if (!gecko()) return 'download';
  return manifest.size <= IN_MEMORY ? 'small' : 'none';
}

/**
 * Must be called from a click. Throws an AbortError when the person picks no place.
 * @param {Manifest} manifest
 * @param {boolean} [zip]
 * @returns {Promise<Sink|null>} null: too big for what this browser has
 */
export async function openSink(manifest, zip = false) {
  const place = placeFor(manifest, zip);
  if (place === 'folder') {
    const handle = await /** @type {any} */ (globalThis).showDirectoryPicker({ mode: 'readwrite', id: 'talkie' });
    return (await import('./folder.js')).folderSink(handle, manifest.files);
  }
  if (!isMany(manifest)) return openSingle({ name: manifest.name, size: manifest.size, mime: manifest.mime }, place);
  const { archiveSink, archiveSize } = await import('./archive.js');
  const single = { name: archiveName(manifest), size: archiveSize(manifest.files), mime: 'application/zip' };
  const inner = await openSingle(single, place);
  return inner && archiveSink(inner, manifest.files);
}

/** @param {Pick<Manifest, 'name'|'folder'>} manifest what its ZIP file is called */
export function archiveName({ name, folder }) {
  return `${folder ? name : name.replace(/\.[^.]{1,8}$/, '')}.zip`;
}

/** @param {Single} single @param {SavePlace} place @returns {Promise<Sink|null>} */
async function openSingle(single, place) {
  switch (place) {
    case 'small':
      return blobSink(inertMime(single.mime));
    case 'file': {
      const handle = await /** @type {any} */ (globalThis).showSaveFilePicker({ suggestedName: single.name });
      return diskSink(await handle.createWritable());
    }
    case 'kept':
      return (await keep(single)) ?? (gecko() ? null : await stream(single));
    case 'download':
      return (await stream(single)) ?? (await keep(single));
    default:
      return null;
  }
}

/** @param {Single} single */
const stream = async (single) => (await import('./download.js')).downloadSink(single);

/** @param {Single} single */
const keep = async (single) => (await import('./kept.js')).keptSink(single);

/** @param {string} type @returns {Sink} */
export function blobSink(type) {
  /** @type {Blob[]} */
  let parts = [];
  return {
    // A Blob's bytes leave the page's heap; buffers don't.
    write: async (bytes) => void parts.push(new Blob([bytes])),
    finish: async () => URL.createObjectURL(new Blob(parts, { type })),
    abort: async () => void (parts = []),
  };
}

/** @param {FileSystemWritableFileStream} stream @returns {Sink} */
export function diskSink(stream) {
  return {
    write: (bytes) => stream.write(bytes),
    finish: async () => {
      await stream.close();
      return null;
    },
    abort: () => stream.abort(),
  };
}
