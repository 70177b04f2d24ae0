/**
 * Where the others are heard: the chosen speaker, where the browser lets pages choose, and a short tone
 * to try it.
 * @module
 */
import { prefer, preferences } from '../preferences.js';
import { borrowContext, running } from './audio-context.js';
import { devices, isListed, refreshDevices } from './device-list.js';

export const canChooseSpeaker = () => typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;

/** Firefox lists a speaker only after the person picked it in the browser's own list. */
export const canAskForSpeaker = () => typeof (/** @type {any} */ (navigator.mediaDevices)?.selectAudioOutput) === 'function';

/** The chosen one while it is there, else the browser's default. */
export function speaker() {
  const { speakerId } = preferences.get();
  return isListed('speaker', speakerId) ? speakerId : '';
}

let following = false;

/** @param {HTMLMediaElement} element plays through the chosen speaker from now on, as long as it is in the page */
export function playThroughSpeaker(element) {
  if (!canChooseSpeaker()) return;
  void direct(element);
  if (following) return;
  following = true;
  const all = () => document.querySelectorAll('audio').forEach((one) => void direct(one));
  preferences.subscribe((p) => p.speakerId, all);
  devices.subscribe((list) => list.speaker, all);
  void refreshDevices();
}

/** @param {HTMLMediaElement} element */
async function direct(element) {
  const id = speaker();
  if (element.sinkId === id) return;
  // It went between the list and now: the default has to do until the list says so too.
  await element.setSinkId(id).catch(() => element.setSinkId('').catch(() => {}));
}

/** @returns {Promise<boolean>} whether somebody picked one */
export async function askForSpeaker() {
  try {
    const picked = await /** @type {any} */ (navigator.mediaDevices).selectAudioOutput();
    await refreshDevices();
    prefer({ speakerId: picked.deviceId });
    return true;
  } catch {
    return false;
  }
}

/** Two notes, so that it can be told from the computer's own sounds. */
const NOTES = [523.25, 783.99];
const NOTE_SECONDS = 0.45;

/** @returns {Promise<void>} ends with the tone */
export async function testTone() {
  const { context, release } = borrowContext();
  const out = new MediaStreamAudioDestinationNode(context);
  try {
    await running(context);
    const start = context.currentTime + 0.1;
    const notes = NOTES.map((frequency, at) => note(context, out, frequency, start + at * NOTE_SECONDS));
    await played(out.stream, () => new Promise((done) => notes.at(-1)?.addEventListener('ended', done)));
  } finally {
    out.disconnect();
    release();
  }
}

/** @param {AudioContext} context @param {AudioNode} out @param {number} frequency @param {number} at */
function note(context, out, frequency, at) {
  const tone = new OscillatorNode(context, { frequency });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.3, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_SECONDS);
  tone.connect(volume).connect(out);
  tone.start(at);
  tone.stop(at + NOTE_SECONDS + 0.1);
  return tone;
}

/**
 * Plays a stream through the chosen speaker until `ended` says so.
 * @param {MediaStream} stream
 * @param {() => Promise<unknown>} ended
 */
export async function played(stream, ended) {
  const element = new Audio();
  element.srcObject = stream;
  if (canChooseSpeaker()) await direct(element);
  try {
    await element.play();
    await ended();
  } finally {
    element.pause();
    element.srcObject = null;
  }
}
