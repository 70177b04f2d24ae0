/**
 * The frequency response of the effects, drawn as the browser's own filters report it: pitch from 20 Hz
 * to 20 kHz, each octave as wide as the next, against decibels. What it shows is also said in words.
 * @module
 */
import { logFrequencies } from '../../media/bands.js';
import { response } from '../../media/effects.js';
import { preferences } from '../../preferences.js';
import { section } from '../../strings.js';
import { h, setAttribute, svg } from '../../ui/dom.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {Preferences} from '../../preferences.js' */

const words = await section('settings');

const WIDTH = 480;
const HEIGHT = 220;
const LEFT = 54;
const BOTTOM = 26;
const TOP = 8;
const RIGHT = 10;
/** The scale ends here, and so does the curve. */
const MOST_DB = 30;
const DB_LINES = [-30, -20, -10, 0, 10, 20, 30];
const HZ_LINES = /** @type {const} */ ([[20, '20'], [50, ''], [100, '100'], [200, ''], [500, '500'], [1000, '1k'], [2000, ''], [5000, '5k'], [10_000, '10k'], [20_000, '']]);
const POINTS = logFrequencies(160);
/** Where the words look. */
const SPOKEN = new Float32Array([100, 3000, 10_000]);

/** @param {number} hz */
const across = (hz) => LEFT + (Math.log(hz / 20) / Math.log(1000)) * (WIDTH - LEFT - RIGHT);
/** @param {number} db */
const down = (db) => TOP + ((MOST_DB - Math.max(-MOST_DB, Math.min(MOST_DB, db))) / (2 * MOST_DB)) * (HEIGHT - TOP - BOTTOM);

/** @param {Cleanup} cleanup */
export function responseCurve(cleanup) {
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'curve', 'data-testid': 'curve' });
  const line = svg('path', { class: 'curve-line' });
  picture.append(...grid(), line);
  const note = h('p', { class: 'hint curve-note' });
  /** @param {Readonly<Preferences>} p */
  const draw = (p) => {
    line.setAttribute('d', path(response(p, POINTS)));
    const [low, middle, high] = response(p, SPOKEN).map((db) => words.decibels(Math.round(db)));
    picture.setAttribute('aria-label', words.curveWords(low ?? '', middle ?? '', high ?? ''));
    setAttribute(picture, 'data-off', !p.effects);
    note.textContent = p.effects ? words.curve : words.curveOff;
  };
  cleanup.add(preferences.subscribe((p) => p, draw));
  return h('figure', { class: 'curve-figure' }, picture, note);
}

/** @param {number[]} levels */
function path(levels) {
  return levels.map((db, at) => `${at === 0 ? 'M' : 'L'}${across(POINTS[at] ?? 20).toFixed(1)} ${down(db).toFixed(1)}`).join('');
}

function grid() {
  const right = WIDTH - RIGHT;
  const foot = HEIGHT - BOTTOM;
  return [
    ...DB_LINES.flatMap((db) => [
      svg('path', { class: db === 0 ? 'curve-zero' : 'curve-grid', d: `M${LEFT} ${down(db)}H${right}` }),
      label(LEFT - 6, down(db) + 4, db === MOST_DB ? `${db} dB` : `${db > 0 ? '' : db < 0 ? '−' : ''}${Math.abs(db)}`, 'end'),
    ]),
    ...HZ_LINES.flatMap(([hz, text]) => [
      svg('path', { class: 'curve-grid', d: `M${across(hz)} ${TOP}V${foot}` }),
      ...(text ? [label(across(hz), HEIGHT - 8, hz === 20 ? `${text} ${words.hertz}` : text, hz === 20 ? 'start' : 'middle')] : []),
    ]),
  ];
}

/** @param {number} x @param {number} y @param {string} text @param {string} anchor */
function label(x, y, text, anchor) {
  const element = svg('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}
