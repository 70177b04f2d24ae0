/**
 * "Listen to yourself": records a few seconds of the bare microphone and plays them back through the
 * effects, so that the settings can be tried on one's own voice while it plays.
 * @module
 */
import { preferences } from '../preferences.js';
import { borrowContext, running } from './audio-context.js';
import { effectChain } from './effects.js';
import { played } from './speaker.js';

/** @import {LocalMedia} from './local.js' */

export const LISTEN_SECONDS = 4;

export const canListen = () => typeof MediaRecorder === 'function';

/**
 * @param {LocalMedia} local
 * @param {AbortSignal} stop
 * @returns {Promise<Blob|null>} null: there is nothing to record
 */
export async function recordSelf(local, stop) {
  /** @type {MediaStreamTrack|null} */
  let copy = null;
  const stopListening = local.listen((track) => (copy ??= track));
  try {
    if (!copy) return null;
    const recorder = new MediaRecorder(new MediaStream([copy]));
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((done) => (recorder.onstop = done));
    recorder.start();
    const end = () => recorder.state !== 'inactive' && recorder.stop();
    const timer = setTimeout(end, LISTEN_SECONDS * 1000);
    stop.addEventListener('abort', end);
    await ended;
    clearTimeout(timer);
    return stop.aborted ? null : new Blob(parts, { type: recorder.mimeType });
  } finally {
    stopListening();
  }
}

/** @param {Blob} recording @param {AbortSignal} stop */
export async function playWithEffects(recording, stop) {
  const { context, release } = borrowContext();
  const chain = effectChain(context, preferences.get());
  const stopFollowing = preferences.subscribe((p) => p, (p) => chain.set(p.effects ? p : FLAT));
  try {
    await running(context);
    const buffer = await context.decodeAudioData(await recording.arrayBuffer());
    if (stop.aborted) return;
    const source = new AudioBufferSourceNode(context, { buffer });
    const out = new MediaStreamAudioDestinationNode(context);
    source.connect(chain.input);
    chain.output.connect(out);
    stop.addEventListener('abort', () => source.stop());
    await played(out.stream, () => {
      source.start();
      return new Promise((done) => (source.onended = done));
    });
  } finally {
    stopFollowing();
    chain.disconnect();
    release();
  }
}

const FLAT = { bass: 0, presence: 0, treble: 0, gain: 0 };
