/**
 * The effects on our own microphone: filters, gain and limiter in the browser's audio graph. Loaded and
 * built only while they are on; the track that goes out stays the same while the device behind it or the
 * settings change.
 * @module
 */
import { preferences } from '../preferences.js';
import { borrowContext } from './audio-context.js';
import { BANDS, LIMITER, logFrequencies, makeupGain, SHAPER_RANGE, shaperCurve, toDecibels, toFactor } from './bands.js';

/** @import {EffectSettings} from './bands.js' */

/** Slow enough not to click. */
const GLIDE_SECONDS = 0.03;

/**
 * @param {BaseAudioContext} context
 * @param {EffectSettings} settings
 */
export function effectChain(context, settings) {
  const filters = BANDS.map(({ name, type, frequency, Q }) => new BiquadFilterNode(context, { type, frequency, Q, gain: settings[name] }));
  const gain = new GainNode(context, { gain: toFactor(settings.gain) });
  const limiter = new DynamicsCompressorNode(context, LIMITER);
  // Takes back the compressor's make-up gain, and brings what overshoots into the shaper's range.
  const fit = new GainNode(context, { gain: 1 / makeupGain() / SHAPER_RANGE });
  const shaper = new WaveShaperNode(context, { curve: shaperCurve() });
  const nodes = [...filters, gain, limiter, fit, shaper];
  nodes.reduce((from, to) => (from.connect(to), to));
  return {
    input: /** @type {AudioNode} */ (nodes[0]),
    output: shaper,
    /** @param {EffectSettings} now */
    set(now) {
      BANDS.forEach(({ name }, at) => filters[at]?.gain.setTargetAtTime(now[name], context.currentTime, GLIDE_SECONDS));
      gain.gain.setTargetAtTime(toFactor(now.gain), context.currentTime, GLIDE_SECONDS);
    },
    disconnect: () => nodes.forEach((node) => node.disconnect()),
  };
}

/**
 * What the filters and the gain do, by frequency, asked of the browser's own filters.
 * @param {EffectSettings} settings
 * @param {Float32Array<ArrayBuffer>} frequencies
 * @returns {number[]} decibels
 */
export function response(settings, frequencies = logFrequencies(160)) {
  const context = new OfflineAudioContext(1, 1, 48_000);
  const sum = Array.from(frequencies, () => settings.gain);
  const [magnitude, phase] = [new Float32Array(frequencies.length), new Float32Array(frequencies.length)];
  for (const { name, type, frequency, Q } of BANDS) {
    new BiquadFilterNode(context, { type, frequency, Q, gain: settings[name] }).getFrequencyResponse(frequencies, magnitude, phase);
    magnitude.forEach((factor, at) => (sum[at] = (sum[at] ?? 0) + toDecibels(factor)));
  }
  return sum;
}

export class MicEffects {
  #borrowed = borrowContext();
  #chain;
  #out;
  /** @type {MediaStreamAudioSourceNode|null} */ #source = null;
  #undo;

  /** @param {() => void} stateChanged the context began or ceased to run */
  constructor(stateChanged) {
    const { context } = this.#borrowed;
    this.#chain = effectChain(context, preferences.get());
    this.#out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    this.#chain.output.connect(this.#out);
    context.addEventListener('statechange', stateChanged);
    const stopFollowing = preferences.subscribe((p) => p, (p) => this.#chain.set(p));
    this.#undo = () => {
      context.removeEventListener('statechange', stateChanged);
      stopFollowing();
    };
  }

  /** What is to go out. */
  get track() {
    return /** @type {MediaStreamTrack} */ (this.#out.stream.getAudioTracks()[0]);
  }

  /** Until somebody has touched the page, browsers let no sound through. */
  get running() {
    return this.#borrowed.context.state === 'running';
  }

  /** @param {MediaStreamTrack} raw */
  use(raw) {
    this.#source?.disconnect();
    this.#source = this.#borrowed.context.createMediaStreamSource(new MediaStream([raw]));
    this.#source.connect(this.#chain.input);
  }

  close() {
    this.#undo();
    this.#source?.disconnect();
    this.#chain.disconnect();
    this.track.stop();
    this.#borrowed.release();
  }
}
