/**
 * Camera and microphone: asks for both at once, and when that fails finds out which of them is to
 * blame, so that the call goes on with the other or with none.
 * @module
 */

/** @import {MediaProblem} from '../types.js' */
/** @typedef {'mic'|'camera'} Device */

/** @type {Record<Device, MediaStreamConstraints>} */
const CONSTRAINTS = {
  mic: { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
  camera: { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } },
};

/** @typedef {{tracks: Partial<Record<Device, MediaStreamTrack>>, problems: Partial<Record<Device, MediaProblem>>}} Acquired */

/**
 * @param {Device[]} wanted
 * @returns {Promise<Acquired>} never fails: what could not be had is in `problems`
 */
export async function acquire(wanted) {
  if (wanted.length === 0) return { tracks: {}, problems: {} };
  const unavailable = unavailability();
  if (unavailable) return all(wanted, unavailable);
  try {
    const constraints = Object.assign({}, ...wanted.map((device) => CONSTRAINTS[device]));
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return { tracks: tracksOf(stream), problems: {} };
  } catch (error) {
    const [only] = wanted;
    if (wanted.length === 1 && only) return { tracks: {}, problems: { [only]: problemOf(error) } };
    // A person who just said no to both should not be asked twice more.
    if (problemOf(error) === 'refused' && !(await anyGranted(wanted))) return all(wanted, 'refused');
    const parts = [];
    for (const device of wanted) parts.push(await acquire([device]));
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

/** @param {MediaStream} stream */
function tracksOf(stream) {
  const [mic] = stream.getAudioTracks();
  const [camera] = stream.getVideoTracks();
  return { ...(mic && { mic }), ...(camera && { camera }) };
}

/** @param {Device[]} devices */
async function anyGranted(devices) {
  const names = { mic: 'microphone', camera: 'camera' };
  for (const device of devices) {
    try {
      const status = await navigator.permissions.query({ name: /** @type {PermissionName} */ (names[device]) });
      if (status.state === 'granted') return true;
    } catch {
      // A browser that does not tell about this permission.
    }
  }
  return false;
}

/**
 * @param {unknown} error of getUserMedia or getDisplayMedia
 * @returns {MediaProblem}
 */
export function problemOf(error) {
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
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
