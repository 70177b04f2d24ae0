/**
 * The comparison's drawings, as SVG: round trips over time, how they are distributed, and what got
 * through. Each has a line of text that says the same to who cannot see it. Colours and sizes come from
 * the stylesheet by class.
 * @module
 */
import { axisEnd } from '../../ui/axis.js';
import { svg } from '../../ui/dom.js';

/** @import {Trip} from './figures.js' */

/** Their quarters are short numbers, too. */
const QUARTERED = [1, 2, 4, 8, 10];
const SPACE = { height: 220, left: 56, right: 12, top: 12, bottom: 30 };
/** Drawn about as wide as it will be shown, so that its letters are as tall as others. */
const widthNow = (most = 420) => Math.max(280, Math.min(most, innerWidth - 90));

/**
 * An empty drawing with its axes, and where values lie in it.
 * @param {{label: string, x: {end: number, unit: string}, y: {end: number, unit: string}}} how
 */
function frame({ label, x, y }) {
  const { height, left, right, top, bottom } = SPACE;
  const width = widthNow();
  /** @param {number} value */
  const atX = (value) => left + (Math.min(value, x.end) / x.end) * (width - left - right);
  /** @param {number} value */
  const atY = (value) => height - bottom - (Math.min(value, y.end) / y.end) * (height - top - bottom);
  const drawing = svg('svg', { class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label });
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const [px, py] = [atX(part * x.end), atY(part * y.end)];
    drawing.append(
      svg('line', { class: 'plot-grid', x1: left, x2: width - right, y1: py, y2: py }),
      svg('text', { class: 'plot-tick', x: left - 8, y: py + 4, 'text-anchor': 'end' }, tick(part * y.end, part === 1 ? y.unit : '')),
      svg('text', { class: 'plot-tick', x: px, y: height - 8, 'text-anchor': part === 1 ? 'end' : 'middle' }, tick(part * x.end, part === 1 ? x.unit : '')),
    );
  }
  return { drawing, atX, atY };
}

/** @param {number} value @param {string} unit */
function tick(value, unit) {
  const figure = value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2);
  return unit ? `${figure} ${unit}` : figure;
}

/**
 * @param {string} label
 * @param {{name: string, trips: readonly Trip[]}[]} series `name` picks the colour
 */
export function tripsPlot(label, series) {
  const all = series.flatMap(({ trips }) => trips.flatMap(({ ms }) => (ms === null ? [] : [ms]))).sort((a, b) => a - b);
  const seconds = Math.max(1, ...series.flatMap(({ trips }) => trips.map(({ at }) => at / 1000)));
  // A few stragglers must not press all others to the ground; they are drawn at the upper edge.
  const top = axisEnd((all[Math.floor(all.length * 0.98)] ?? 1) * 1.2, QUARTERED);
  const { drawing, atX, atY } = frame({ label, x: { end: axisEnd(seconds, QUARTERED), unit: 's' }, y: { end: top, unit: 'ms' } });
  for (const { name, trips } of series) {
    const dots = trips.flatMap(({ at, ms }) => (ms === null ? [] : [svg('circle', { cx: atX(at / 1000).toFixed(1), cy: atY(ms).toFixed(1), r: 2.5 })]));
    drawing.append(svg('g', { class: `series ${name}` }, ...dots));
  }
  return drawing;
}

/**
 * Share of the round trips that took no longer than so many milliseconds.
 * @param {string} label
 * @param {{name: string, trips: readonly Trip[]}[]} series
 */
export function sharePlot(label, series) {
  const sorted = series.map(({ name, trips }) => ({ name, of: trips.length, all: trips.flatMap(({ ms }) => (ms === null ? [] : [ms])).sort((a, b) => a - b) }));
  const longest = Math.max(1, ...sorted.map(({ all }) => all[Math.floor(all.length * 0.98)] ?? 0));
  const { drawing, atX, atY } = frame({ label, x: { end: axisEnd(longest, QUARTERED), unit: 'ms' }, y: { end: 100, unit: '%' } });
  for (const { name, of, all } of sorted) {
    const points = all.map((ms, i) => `${atX(ms).toFixed(1)},${atY(((i + 1) / of) * 100).toFixed(1)}`);
    if (points.length > 0) drawing.append(svg('polyline', { class: `series ${name}`, points: [`${atX(0)},${atY(0)}`, ...points].join(' ') }));
  }
  return drawing;
}

/**
 * @param {string} label
 * @param {{name: string, words: string, value: number, shown: string}[]} bars
 */
export function barsPlot(label, bars) {
  const width = widthNow(800);
  const row = 48;
  const end = axisEnd(Math.max(...bars.map(({ value }) => value), 0));
  const drawing = svg('svg', { class: 'plot bars', viewBox: `0 0 ${width} ${bars.length * row}`, role: 'img', 'aria-label': label });
  bars.forEach(({ name, words, value, shown }, i) => {
    const y = i * row;
    const long = Math.max(2, (value / end) * (width - 100));
    drawing.append(
      svg('text', { class: 'plot-word', x: 0, y: y + 14 }, words),
      svg('rect', { class: `series ${name}`, x: 0, y: y + 20, width: long.toFixed(1), height: 16, rx: 4 }),
      svg('text', { class: 'plot-value', x: long + 8, y: y + 33 }, shown),
    );
  });
  return drawing;
}
