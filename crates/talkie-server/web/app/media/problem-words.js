/**
 * What keeps us from a device, and what to click about it in this browser.
 * @module
 */
import { strings } from '../strings.js';
import { thisBrowser } from './browser-kind.js';

/** @import {MediaProblem, MediaView} from '../types.js' */
/** @import {Device} from './devices.js' */

/**
 * @param {MediaProblem} problem
 * @param {Device|'both'} device
 */
export function problemWords(problem, device) {
  const advice = adviceFor(problem);
  return advice ? `${strings.media[problem][device]} ${advice}` : strings.media[problem][device];
}

/** @param {MediaProblem} problem */
function adviceFor(problem) {
  const t = strings.media;
  switch (problem) {
    case 'refused':
      return t.allow[thisBrowser()];
    case 'system':
      return t.allowSystem;
    case 'busy':
      return t.free;
    case 'missing':
      return t.plug;
    default:
      return '';
  }
}

/** Each thing said once. @param {MediaView['problems']} problems @returns {string[]} */
export function allProblems({ mic, camera }) {
  if (mic && mic === camera) return [problemWords(mic, 'both')];
  return [...(camera ? [problemWords(camera, 'camera')] : []), ...(mic ? [problemWords(mic, 'mic')] : [])];
}
