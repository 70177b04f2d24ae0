/**
 * Camera and microphone: asks for both at once, and when that fails finds out which of them is to
 * blame, so that the call goes on with the other or with none.
 * @module
 */

import { preferences } from '../preferences.js';
import { CHOSEN, constraintsFor } from './constraints.js';

/** @import {MediaProblem} from '../types.js' */
/** @typedef {'mic'|'camera'} Device */

/** How getUserMedia calls them. */
const KINDS = /** @type {const} */ ({ mic: 'audio', camera: 'video' });

/** @typedef {{tracks: Partial<Record<Device, MediaStreamTrack>>, problems: Partial<Record<Device, MediaProblem>>}} Acquired */

/**
 * @param {Device[]} wanted
 * @param {string} [only] the id of the one device that will do, '' for any; without it the chosen one, or any when that is gone
 * @returns {Promise<Acquired>} never fails: what could not be had is in `problems`
 */
export async function acquire(wanted, only) {
  if (wanted.length === 0) return { tracks: {}, problems: {} };
  const unavailable = unavailability();
  if (unavailable) return all(wanted, unavailable);
  try {
    const constraints = wanted.map((device) => [KINDS[device], constraintsFor(device, preferences.get(), only)]);
    const stream = await navigator.mediaDevices.getUserMedia(Object.fromEntries(constraints));
    return { tracks: tracksOf(stream), problems: {} };
  } catch (error) {
    const problem = problemOf(error);
    const [device] = wanted;
    if (wanted.length === 1 && device) {
      const chosen = only === undefined && preferences.get()[CHOSEN[device]] !== '';
      return chosen && problem === 'missing' ? acquire(wanted, '') : { tracks: {}, problems: { [device]: problem } };
    }
    // A person who just said no to both should not be asked twice more.
    if (problem === 'refused' && !(await anyGranted(wanted))) return all(wanted, problem);
    const parts = [];
    for (const one of wanted) parts.push(await acquire([one], only));
    return {
      tracks: Object.assign({}, ...parts.map((part) => part.tracks)),
      problems: Object.assign({}, ...parts.map((part) => part.problems)),
    };
  }
}

/** @returns {MediaProblem|null} why this page cannot have devices at all */
export function unavailability() {
  if (!isSecureContext) return 'insecure';
  return typeof navigator.mediaDevices?.getUserMedia === 'function' ? null : 'unsupported';
}

/** @param {Device[]} devices @param {MediaProblem} problem @returns {Acquired} */
function all(devices, problem) {
  return { tracks: {}, problems: Object.fromEntries(devices.map((device) => [device, problem])) };
}

/**
 * Taken out of their stream: Chromium holds on to that for minutes, and with it to tracks long given back.
 * @param {MediaStream} stream
 */
function tracksOf(stream) {
  const [[mic], [camera]] = [stream.getAudioTracks(), stream.getVideoTracks()];
  for (const track of stream.getTracks()) stream.removeTrack(track);
  return { ...(mic && { mic }), ...(camera && { camera }) };
}

/** @param {Device[]} devices */
async function anyGranted(devices) {
  const states = await Promise.all(devices.map(async (device) => (await permission(device))?.state));
  return states.includes('granted');
}

/**
 * Whether the page may have a device, kept up to date by the browser.
 * @param {Device} device
 * @returns {Promise<PermissionStatus|null>} null: this browser does not tell
 */
export async function permission(device) {
  const name = /** @type {PermissionName} */ (device === 'mic' ? 'microphone' : 'camera');
  try {
    return await navigator.permissions.query({ name });
  } catch {
    return null;
  }
}

/**
 * @param {unknown} error of getUserMedia or getDisplayMedia
 * @returns {MediaProblem}
 */
export function problemOf(error) {
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      // Chromium's words for "the browser may, but the operating system does not let it".
      return /by system/i.test(String(/** @type {Error} */ (error).message)) ? 'system' : 'refused';
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
