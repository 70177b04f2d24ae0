/**
 * Two readings, some time apart, make a sample: rates instead of counters. A counter that went back (an
 * m-line was recycled, a browser started anew) makes a gap, never a negative rate. Pure.
 * @module
 */

/** @import {Reading, Stream, Picture} from './read.js' */

/**
 * @typedef {object} Sample figures of one moment; null where a browser does not tell
 * @property {number} at milliseconds since 1970
 * @property {number|null} rtt milliseconds
 * @property {number|null} available kbit/s
 * @property {number|null} buffer milliseconds that sound or else pictures wait in the jitter buffer
 * @property {Flow} in
 * @property {Flow} out
 */

/**
 * @typedef {object} Flow
 * @property {number|null} audio kbit/s
 * @property {number|null} video kbit/s
 * @property {number|null} loss percent
 * @property {number|null} jitter milliseconds, of the sound or else the pictures
 * @property {number} packets since the last sample
 * @property {number} nack since the last sample
 * @property {string|null} audioCodec
 * @property {Shown|null} camera
 * @property {Shown|null} screen
 */

/**
 * @typedef {object} Shown a picture
 * @property {number|null} width
 * @property {number|null} height
 * @property {number|null} fps
 * @property {number} kbps
 * @property {string|null} codec
 * @property {number} pli since the last sample
 * @property {number} freezes since the last sample
 * @property {string|null} limitation
 */

/**
 * @param {Reading} before
 * @param {Reading} now
 * @returns {Sample|null} null when no time has passed between them
 */
export function sampleOf(before, now) {
  const seconds = (now.at - before.at) / 1000;
  if (!(seconds > 0)) return null;
  return {
    at: Math.round(now.at),
    rtt: now.rtt === null ? null : tenth(now.rtt * 1000),
    available: now.available === null ? null : Math.round(now.available / 1000),
    buffer: waited(before.audioBuffer, now.audioBuffer) ?? waited(before.videoBuffer, now.videoBuffer),
    in: flow(before.in, now.in, seconds, lossIn),
    out: flow(before.out, now.out, seconds, lossOut),
  };
}

/**
 * @param {Reading['in']} before @param {Reading['in']} now @param {number} seconds
 * @param {(before: Stream[], now: Stream[]) => number|null} loss
 * @returns {Flow}
 */
function flow(before, now, seconds, loss) {
  const jitter = now.audio.jitter ?? now.video.jitter;
  return {
    audio: rate(before.audio.bytes, now.audio.bytes, seconds),
    video: rate(before.video.bytes, now.video.bytes, seconds),
    loss: loss([before.audio, before.video], [now.audio, now.video]),
    jitter: jitter === null ? null : tenth(jitter * 1000),
    packets: grown(before.audio.packets, now.audio.packets) + grown(before.video.packets, now.video.packets),
    nack: grown(before.audio.nack, now.audio.nack) + grown(before.video.nack, now.video.nack),
    audioCodec: now.audio.codec,
    camera: shown(before.camera, now.camera, seconds),
    screen: shown(before.screen, now.screen, seconds),
  };
}

/** @param {Picture|null} before @param {Picture|null} now @param {number} seconds @returns {Shown|null} */
function shown(before, now, seconds) {
  const bytes = now ? grown(before?.bytes ?? 0, now.bytes) : 0;
  const frames = now ? grown(before?.frames ?? 0, now.frames) : 0;
  // An m-line that nothing goes through is no picture.
  if (!now || (bytes === 0 && frames === 0)) return null;
  return {
    width: now.width, height: now.height, fps: now.fps ?? tenth(frames / seconds), kbps: Math.round((bytes * 8) / seconds / 1000),
    codec: now.codec, pli: grown(before?.pli ?? 0, now.pli), freezes: grown(before?.freezes ?? 0, now.freezes), limitation: now.limitation,
  };
}

/** Of what was sent to us between the two. @param {Stream[]} before @param {Stream[]} now */
function lossIn(before, now) {
  const lost = total(before, now, 'lost');
  const arrived = total(before, now, 'packets');
  return lost + arrived > 0 ? tenth((100 * lost) / (lost + arrived)) : null;
}

/** As the peer reports it: its own fraction, since its reports come at other times than we ask. @param {Stream[]} _before @param {Stream[]} now */
function lossOut(_before, now) {
  const told = now.map((s) => s.fractionLost).filter((f) => f !== null);
  return told.length > 0 ? tenth(100 * Math.max(...told)) : null;
}

/** @param {Stream[]} before @param {Stream[]} now @param {'lost'|'packets'} field */
const total = (before, now, field) => now.reduce((all, stream, at) => all + grown(before[at]?.[field] ?? 0, stream[field]), 0);

/** @param {{delay: number, emitted: number}} before @param {{delay: number, emitted: number}} now */
function waited(before, now) {
  const emitted = now.emitted - before.emitted;
  return emitted > 0 && now.delay >= before.delay ? tenth((1000 * (now.delay - before.delay)) / emitted) : null;
}

/** @param {number} before @param {number} now @param {number} seconds @returns {number|null} kbit/s */
const rate = (before, now, seconds) => (now < before ? null : Math.round(((now - before) * 8) / seconds / 1000));

/** @param {number} before @param {number} now */
const grown = (before, now) => Math.max(0, now - before);

/** @param {number} value */
const tenth = (value) => Math.round(value * 10) / 10;
