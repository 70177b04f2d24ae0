/**
 * How loud the microphone is, as a bar that moves. Also while muted: it is there to see whether the
 * device works. Screen readers find a meter with its value and are not told of every change.
 * @module
 */
import { Level, loudness } from '../../media/level.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';

/** @import {LocalMedia} from '../../media/local.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

const LOOK_EVERY_MS = 60;
/** The bar falls slower than the sound, so that it can be seen. */
const FALL = 0.06;
const SAY_EVERY_MS = 1000;

/** @param {LocalMedia} local @param {Cleanup} cleanup */
export function levelMeter(local, cleanup) {
  const bar = h('div', { class: 'meter-bar' });
  const element = h(
    'div',
    { class: 'meter', role: 'meter', 'aria-label': strings.media.level, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': 0, data: { testid: 'level', level: '0' } },
    bar,
  );
  const level = new Level();
  const stopListening = local.listen((copy) => level.use(copy));
  let shown = 0;
  let said = 0;
  const timer = setInterval(() => {
    shown = Math.max(loudness(level.now), shown - FALL, 0);
    bar.style.setProperty('--level', shown.toFixed(3));
    element.dataset.level = String(Math.round(shown * 100));
    if (performance.now() - said < SAY_EVERY_MS) return;
    said = performance.now();
    element.setAttribute('aria-valuenow', String(Math.round(shown * 10) * 10));
  }, LOOK_EVERY_MS);
  cleanup.add(() => {
    clearInterval(timer);
    stopListening();
    level.close();
  });
  return element;
}
