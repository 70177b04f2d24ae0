/**
 * What somebody chose once and wants to find again: kept in this browser, judged when it is read, since
 * an older version or a curious person may have written it. Subscribed to like the store.
 * @module
 */
import { createStore } from './state.js';

const KEPT = 'talkie-preferences';

/**
 * A field is its default and the judge of a stored value.
 * @template T
 * @typedef {{initial: T, accepts: (value: unknown) => boolean}} Field
 */

/** @param {boolean} initial @returns {Field<boolean>} */
const flag = (initial) => ({ initial, accepts: (value) => typeof value === 'boolean' });
/** @param {string} initial @returns {Field<string>} */
const words = (initial, longest = 512) => ({ initial, accepts: (value) => typeof value === 'string' && value.length <= longest });
/** @param {number} initial @param {number} min @param {number} max @returns {Field<number>} */
const within = (initial, min, max) => ({ initial, accepts: (value) => typeof value === 'number' && value >= min && value <= max });
/** @template {string} T @param {readonly T[]} all @param {NoInfer<T>} initial @returns {Field<T>} */
const oneOf = (all, initial) => ({ initial, accepts: (value) => all.includes(/** @type {T} */ (value)) });

const FIELDS = {
  /** Device ids; '' is the browser's default. */
  micId: words(''),
  cameraId: words(''),
  speakerId: words(''),
  /** Whether the start page lists the rooms that were entered, see recent.js. */
  rememberRooms: flag(true),
  joinMuted: flag(false),
  joinWithoutCamera: flag(false),
  echoCancellation: flag(true),
  noiseSuppression: flag(true),
  autoGainControl: flag(true),
  /** Decibels. */
  bass: within(0, -15, 15),
  presence: within(0, -15, 15),
  treble: within(0, -15, 15),
  gain: within(0, -20, 20),
  effects: flag(false),
  /** Where the camera offers it. */
  backgroundBlur: flag(false),
  shortcuts: flag(true),
  layout: oneOf(['grid', 'speaker'], 'grid'),
  /** Where the own picture floats when there are two. */
  selfCorner: oneOf(['top-right', 'bottom-right', 'bottom-left', 'top-left'], 'top-right'),
  /** `auto`: what the browser prefers. */
  videoCodec: oneOf(['auto', 'vp8', 'vp9', 'h264', 'av1'], 'auto'),
  /** Lines of the picture that is sent at most; 0: as the camera gives them. */
  maxHeight: within(720, 0, 4320),
  /** kbit/s for all peers together; 0: no cap but what the mesh allows. */
  maxBitrate: within(0, 0, 50_000),
  degradation: oneOf(['balanced', 'maintain-framerate', 'maintain-resolution'], 'balanced'),
};

/** @typedef {{[K in keyof typeof FIELDS]: (typeof FIELDS)[K]['initial']}} Preferences */

export const preferences = createStore(read());

/** @param {Partial<Preferences>} patch */
export function prefer(patch) {
  preferences.set(patch);
  try {
    localStorage.setItem(KEPT, JSON.stringify(preferences.get()));
  } catch {
    // Storage is switched off: they hold until the page goes.
  }
}

/** @returns {Preferences} */
function read() {
  try {
    return judge(JSON.parse(localStorage.getItem(KEPT) ?? '{}'));
  } catch {
    return judge({});
  }
}

/** @param {any} stored @returns {Preferences} */
export function judge(stored) {
  const kept = Object.entries(FIELDS).map(([name, { initial, accepts }]) => [name, accepts(stored?.[name]) ? stored[name] : initial]);
  return Object.fromEntries(kept);
}
