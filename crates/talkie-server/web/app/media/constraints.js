/**
 * What is asked of a camera or microphone, made from what the person prefers. Which device is demanded
 * (`exact`): as a mere wish, Chromium weighs it against the size of the picture. Falling back to another
 * one is the caller's (devices.js).
 * @module
 */

/** @import {Preferences} from '../preferences.js' */
/** @import {Device} from './devices.js' */

/** @typedef {Pick<Preferences, 'echoCancellation'|'noiseSuppression'|'autoGainControl'>} Processing */

/** Which preference holds the chosen device. */
export const CHOSEN = /** @type {const} */ ({ mic: 'micId', camera: 'cameraId', speaker: 'speakerId' });

/** @type {readonly (keyof Processing)[]} */
export const PROCESSING = ['echoCancellation', 'noiseSuppression', 'autoGainControl'];

/**
 * @param {Device} device
 * @param {Preferences} wishes
 * @param {string} [only] the id of the device instead of the chosen one; '' is any
 * @returns {MediaTrackConstraints}
 */
export function constraintsFor(device, wishes, only) {
  const id = only ?? wishes[CHOSEN[device]];
  return { ...(device === 'mic' ? processingOf(wishes) : PICTURE), ...(device === 'camera' && wishes.backgroundBlur && { backgroundBlur: true }), ...(id && { deviceId: { exact: id } }) };
}

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** @param {Processing} wishes */
export function processingOf(wishes) {
  return Object.fromEntries(PROCESSING.map((name) => [name, wishes[name]]));
}

/**
 * Whether a track is worked on as wished. What the browser does not tell, it may do as it likes.
 * @param {MediaTrackSettings} settings
 * @param {Processing} wishes
 */
export function processedAsWished(settings, wishes) {
  return PROCESSING.every((name) => typeof settings[name] !== 'boolean' || settings[name] === wishes[name]);
}
