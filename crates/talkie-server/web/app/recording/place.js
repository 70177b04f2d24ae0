/**
 * Where a recording goes while it is made: to a file that the person picks, else to the origin's private
 * file system or straight into the browser's downloads, else into a Blob. Its length is not known before.
 * @module
 */

/** @import {Sink} from '../files/sinks/sink.js' */

/**
 * Must be called from a click. Throws an AbortError when the person picks no place.
 * @param {string} name
 * @param {string} mime
 * @returns {Promise<Sink>}
 */
export async function openPlace(name, mime) {
  const type = mime.split(';')[0] ?? mime;
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  const { blobSink, diskSink } = await import('../files/sinks/sink.js');
  if (typeof picker === 'function') {
    const handle = await picker.call(globalThis, { suggestedName: name, types: [{ accept: { [type]: [`.${name.split('.').pop()}`] } }] });
    return diskSink(await handle.createWritable());
  }
  const kept = globalThis.isSecureContext ? await (await import('../files/sinks/kept.js')).keptSink({ name, size: 0, mime: type }) : null;
  return kept ?? blobSink(type);
}
