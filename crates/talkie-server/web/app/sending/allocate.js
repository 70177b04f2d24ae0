/**
 * Shares our uplink out. In a mesh everybody sends everything once per peer, so each peer gets an equal
 * part. Of its part sound comes first; a shared screen takes three quarters of what is left while it is
 * shared, because text that cannot be read is worth nothing and a face can be small; the camera gets the
 * rest. Size and frame rate of the camera follow from its bitrate: 0.1 bit per pixel is about what VP8
 * needs for a talking head. Pure; bitrates are in bit/s.
 * @module
 */

/** What is assumed of an uplink nobody has told us anything about: a household's, with some left for others. */
export const DEFAULT_BUDGET = 5_000_000;
const SOUND = { most: 40_000, least: 16_000 };
const SCREEN_SOUND = { most: 64_000, least: 24_000 };
const CAMERA_MOST = 2_500_000;
const SCREEN_MOST = 4_000_000;
/** With less than this a picture is a row of freezes: then rather none. */
const VIDEO_LEAST = 40_000;
/** Sound never takes more than this part of a budget that is too small. */
const SOUND_PART = 0.6;
const SCREEN_PART = 0.75;

/** From which bitrate on a camera has how many lines and frames. The last step takes whatever is left. */
const CAMERA_STEPS = /** @type {const} */ ([
  [2_000_000, 1080, 30],
  [1_100_000, 720, 30],
  [650_000, 540, 30],
  [350_000, 360, 30],
  [180_000, 270, 24],
  [90_000, 180, 15],
  [0, 144, 10],
]);

/** @typedef {{active: boolean, maxBitrate: number, maxFramerate?: number, lines?: number, priority: RTCPriorityType}} Share */

/**
 * @typedef {object} Demand
 * @property {number} peers who we send to
 * @property {number} budget for all of them together; 0: DEFAULT_BUDGET
 * @property {number} maxHeight lines of the camera's picture at most; 0: no cap
 * @property {boolean} screen one is shared
 * @property {boolean} screenAudio with sound
 */

/**
 * What one peer gets.
 * @param {Demand} demand
 * @returns {Record<import('../types.js').Slot, Share>}
 */
export function allocate({ peers, budget, maxHeight, screen, screenAudio }) {
  const part = (budget || DEFAULT_BUDGET) / Math.max(1, peers);
  const mic = between(part * (screenAudio ? SOUND_PART / 2 : SOUND_PART), SOUND);
  const sound = screenAudio ? between(part * (SOUND_PART / 2), SCREEN_SOUND) : 0;
  const pictures = Math.max(0, part - mic - sound);
  const shown = screen ? Math.min(SCREEN_MOST, pictures * SCREEN_PART) : 0;
  return {
    mic: { active: true, maxBitrate: mic, priority: 'high' },
    screenAudio: { active: true, maxBitrate: sound || SCREEN_SOUND.most, priority: 'medium' },
    screen: screenShare(screen ? shown : SCREEN_MOST),
    camera: cameraShare(Math.min(CAMERA_MOST, pictures - shown), maxHeight),
  };
}

/** @param {number} bitrate @param {number} maxHeight @returns {Share} */
function cameraShare(bitrate, maxHeight) {
  const [, lines, frames] = CAMERA_STEPS.find(([from]) => bitrate >= from) ?? CAMERA_STEPS[6];
  const capped = maxHeight > 0 ? Math.min(lines, maxHeight) : lines;
  return { active: bitrate >= VIDEO_LEAST, maxBitrate: whole(Math.max(bitrate, VIDEO_LEAST)), maxFramerate: frames, lines: capped, priority: 'low' };
}

/** A screen keeps its lines: it gives way in frames. @param {number} bitrate @returns {Share} */
function screenShare(bitrate) {
  const maxFramerate = bitrate >= 1_500_000 ? 30 : bitrate >= 600_000 ? 15 : bitrate >= 200_000 ? 8 : 3;
  return { active: bitrate >= VIDEO_LEAST, maxBitrate: whole(Math.max(bitrate, VIDEO_LEAST)), maxFramerate, priority: 'medium' };
}

/** @param {number} bitrate @param {{most: number, least: number}} bounds */
const between = (bitrate, { most, least }) => whole(Math.min(most, Math.max(least, bitrate)));

/** @param {number} bitrate in steps of a kilobit, so that nothing is set anew for a rounding */
const whole = (bitrate) => Math.round(bitrate / 1000) * 1000;

/**
 * By how much a picture of so many lines is made smaller. The lines of an upright picture are its width.
 * @param {{width?: number|undefined, height?: number|undefined}} size of what the camera gives
 * @param {number|undefined} lines wanted at most
 */
export function scaleFor({ width, height }, lines) {
  const given = Math.min(width || 1280, height || 720);
  return lines && given > lines ? given / lines : 1;
}
