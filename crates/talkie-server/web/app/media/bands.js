/**
 * What the effects do to the sound, as numbers: three filters, and a limiter whose curve makes it
 * impossible to leave the range of samples whatever the gain.
 * @module
 */

/** @typedef {{bass: number, presence: number, treble: number, gain: number}} EffectSettings decibels */
/** @typedef {{name: 'bass'|'presence'|'treble', type: BiquadFilterType, frequency: number, Q: number}} Band */

/** @type {readonly Band[]} `presence`: where consonants are, so what makes speech clear */
export const BANDS = [
  { name: 'bass', type: 'lowshelf', frequency: 200, Q: 1 },
  { name: 'presence', type: 'peaking', frequency: 3000, Q: 0.9 },
  { name: 'treble', type: 'highshelf', frequency: 6500, Q: 1 },
];

/** A compressor that leaves all but peaks alone: threshold in decibels below full scale. */
export const LIMITER = { threshold: -3, knee: 0, ratio: 20, attack: 0.002, release: 0.15 };

/**
 * By how much a DynamicsCompressorNode makes everything louder of its own accord: the 0.6th power of
 * what its curve takes from full scale (Web Audio 1.1 §1.19.4). Taken back, so that quiet speech is as it was.
 */
export function makeupGain({ threshold, ratio } = LIMITER) {
  return 10 ** ((-0.6 * threshold * (1 - 1 / ratio)) / 20);
}

/** What the shaper still takes as it is. */
const STRAIGHT = 0.8;
/** Where it ends. */
const CEILING = 0.98;
/** The shaper's input range; what the compressor's attack lets through may be far above 1. */
export const SHAPER_RANGE = 16;

/** A curve for a WaveShaperNode that takes `SHAPER_RANGE` for 1: straight, then bending towards the ceiling. */
export function shaperCurve(points = 8193) {
  const room = CEILING - STRAIGHT;
  return Float32Array.from({ length: points }, (_, at) => {
    const x = ((2 * at) / (points - 1) - 1) * SHAPER_RANGE;
    const over = Math.abs(x) - STRAIGHT;
    return over <= 0 ? x : Math.sign(x) * (STRAIGHT + room * Math.tanh(over / room));
  });
}

/** @param {number} points @returns {Float32Array<ArrayBuffer>} from 20 Hz to 20 kHz, each as far from the next to the ear */
export function logFrequencies(points, from = 20, to = 20_000) {
  return Float32Array.from({ length: points }, (_, at) => from * (to / from) ** (at / (points - 1)));
}

/** @param {number} magnitude */
export const toDecibels = (magnitude) => 20 * Math.log10(Math.max(magnitude, 1e-6));
/** @param {number} db */
export const toFactor = (db) => 10 ** (db / 20);
