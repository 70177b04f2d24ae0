/**
 * One AudioContext for everybody who needs one, made for the first and closed after the last. Browsers
 * keep a context silent until the person has touched the page, so any touch wakes it.
 * @module
 */

/** @type {AudioContext|null} */
let shared = null;
let borrowers = 0;

const GESTURES = ['pointerdown', 'keydown'];

function wake() {
  if (shared?.state === 'suspended') void shared.resume().catch(() => {});
}

/** How many live contexts this page has: 0 or 1. */
export const contextsOpen = () => (shared ? 1 : 0);

/** A graph that may run does so much sooner. */
const START_MS = 5000;

/**
 * Waits until a context runs. Firefox on a machine without sound output would keep one waiting for ever.
 * @param {AudioContext} context
 */
export async function running(context) {
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, START_MS))]);
  if (context.state !== 'running') throw new DOMException('no sound output to run the audio graph with', 'NotReadableError');
}

/** @returns {{context: AudioContext, release: () => void}} */
export function borrowContext() {
  if (!shared) {
    shared = new AudioContext({ latencyHint: 'interactive' });
    for (const gesture of GESTURES) document.addEventListener(gesture, wake, true);
  }
  borrowers += 1;
  wake();
  let held = true;
  return {
    context: shared,
    release() {
      if (!held) return;
      held = false;
      borrowers -= 1;
      if (borrowers > 0 || !shared) return;
      for (const gesture of GESTURES) document.removeEventListener(gesture, wake, true);
      void shared.close().catch(() => {});
      shared = null;
    },
  };
}
