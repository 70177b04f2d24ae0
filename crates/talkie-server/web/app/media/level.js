/**
 * How loud a track is at present. A disabled track is silent to everybody, so who wants to know how loud
 * a muted person is hands in a copy that is not disabled (`Microphone.listen`).
 * @module
 */
import { borrowContext } from './audio-context.js';

/** Quieter than this is shown as nothing. */
const FLOOR_DB = -60;

/** @param {Float32Array} samples @returns {number} root mean square in decibels below full scale */
export function decibels(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 || sum === 0 ? -Infinity : 10 * Math.log10(sum / samples.length);
}

/** @param {number} db @returns {number} 0 … 1, even to the ear */
export const loudness = (db) => Math.max(0, Math.min(1, 1 - db / FLOOR_DB));

export class Level {
  #borrowed = borrowContext();
  #analyser;
  #samples;
  /** @type {MediaStreamAudioSourceNode|null} */ #source = null;

  /** @param {number} [samples] a power of two: over how many of them a level is taken */
  constructor(samples = 1024) {
    this.#analyser = new AnalyserNode(this.#borrowed.context, { fftSize: samples });
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /** @param {MediaStreamTrack|null} track */
  use(track) {
    this.#source?.disconnect();
    this.#source = track && this.#borrowed.context.createMediaStreamSource(new MediaStream([track]));
    this.#source?.connect(this.#analyser);
  }

  /** In decibels below full scale. */
  get now() {
    if (!this.#source || this.#borrowed.context.state !== 'running') return -Infinity;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return decibels(this.#samples);
  }

  close() {
    this.use(null);
    this.#borrowed.release();
  }
}
