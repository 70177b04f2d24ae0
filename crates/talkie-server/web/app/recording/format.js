/**
 * What a recording is written as, and what it is called. Pure.
 * @module
 */

/** VP8 costs the least to make while a call runs; MP4 is what Safari has. */
const FORMATS = ['video/webm;codecs=vp8,opus', 'video/webm;codecs=vp9,opus', 'video/webm', 'video/mp4;codecs=avc1.42E01F,mp4a.40.2', 'video/mp4'];

/** @param {(mime: string) => boolean} supported @returns {string|null} */
export function recordingFormat(supported) {
  return FORMATS.find(supported) ?? null;
}

/** @param {string} room @param {Date} at @param {string} mime */
export function recordingName(room, at, mime) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${room} ${day} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}.${mime.startsWith('video/mp4') ? 'mp4' : 'webm'}`;
}

/** @param {number} ms @returns {string} such as 1:02:03 or 2:03 */
export function elapsed(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, at) => (at ? String(part).padStart(2, '0') : String(part))).join(':');
}
