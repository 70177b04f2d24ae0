/**
 * The records of a ZIP file (APPNOTE.TXT 6.3.10) whose files are stored, not compressed, and written
 * before their checksums are known: each is followed by a data descriptor. ZIP64 where a size, an offset or
 * the number of files needs it. Pure.
 * @module
 */

/** @typedef {{name: Uint8Array, size: number, offset: number, crc: number}} Member */

const MAX32 = 0xffffffff;
const MAX16 = 0xffff;
/** Bit 3: a data descriptor follows. Bit 11: names are UTF-8. */
const FLAGS = 0x0808;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** @param {Uint8Array} bytes @param {number} [crc] of what came before @returns {number} */
export function crc32(bytes, crc = 0) {
  let c = ~crc;
  for (let i = 0; i < bytes.length; i += 1) c = /** @type {number} */ (TABLE[(c ^ /** @type {number} */ (bytes[i])) & 255]) ^ (c >>> 8);
  return ~c >>> 0;
}

/** Writes numbers, the lowest byte first. @param {[number, 2|4|8][]} fields */
function record(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
}

/** @param {number} size */
const isLarge = (size) => size >= MAX32;

/** @param {Date} date @returns {[number, number]} time and date as MS-DOS has them */
function dosTime(date) {
  const year = Math.min(2107, Math.max(1980, date.getFullYear()));
  return [(date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1), ((year - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate()];
}

/** §4.3.7 @param {{name: Uint8Array, size: number}} member @param {Date} date @returns {Uint8Array[]} */
export function localHeader({ name, size }, date) {
  const large = isLarge(size);
  const [time, day] = dosTime(date);
  const extra = large ? record([[1, 2], [16, 2], [0, 8], [0, 8]]) : new Uint8Array(0);
  const sizes = large ? MAX32 : 0;
  return [record([[0x04034b50, 4], [large ? 45 : 20, 2], [FLAGS, 2], [0, 2], [time, 2], [day, 2], [0, 4], [sizes, 4], [sizes, 4], [name.length, 2], [extra.length, 2]]), name, extra];
}

/** §4.3.9 @param {number} size @param {number} crc */
export function descriptor(size, crc) {
  const width = isLarge(size) ? 8 : 4;
  return record([[0x08074b50, 4], [crc, 4], [size, width], [size, width]]);
}

/** §4.3.12 @param {Member} member @param {Date} date @returns {Uint8Array[]} */
export function centralHeader({ name, size, offset, crc }, date) {
  const large = isLarge(size);
  const far = offset >= MAX32;
  const [time, day] = dosTime(date);
  /** @type {[number, 2|4|8][]} */
  const wide = [...(large ? /** @type {[number, 8][]} */ ([[size, 8], [size, 8]]) : []), ...(far ? /** @type {[number, 8][]} */ ([[offset, 8]]) : [])];
  const extra = wide.length > 0 ? record([[1, 2], [wide.length * 8, 2], ...wide]) : new Uint8Array(0);
  const version = large || far ? 45 : 20;
  const sizes = large ? MAX32 : size;
  return [
    // Made by 3: Unix, so that the attributes (a file, rw-r--r--) are read.
    record([[0x02014b50, 4], [(3 << 8) | version, 2], [version, 2], [FLAGS, 2], [0, 2], [time, 2], [day, 2], [crc, 4], [sizes, 4], [sizes, 4], [name.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 2], [0o100644 * 65536, 4], [far ? MAX32 : offset, 4]]),
    name,
    extra,
  ];
}

/** §4.3.14–16 @param {number} count @param {number} size of the central directory @param {number} offset where it begins */
export function ending(count, size, offset) {
  const last = record([[0x06054b50, 4], [0, 2], [0, 2], [Math.min(count, MAX16), 2], [Math.min(count, MAX16), 2], [Math.min(size, MAX32), 4], [Math.min(offset, MAX32), 4], [0, 2]]);
  if (count < MAX16 && size < MAX32 && offset < MAX32) return [last];
  const wide = record([[0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8], [size, 8], [offset, 8]]);
  const locator = record([[0x07064b50, 4], [0, 4], [offset + size, 8], [1, 4]]);
  return [wide, locator, last];
}
