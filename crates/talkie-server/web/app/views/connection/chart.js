/**
 * A line chart of the last minutes in SVG: a few series over one axis of time. Drawn anew at every
 * sample, which for some hundred points costs less than a millisecond. The picture is for eyes only; the
 * value at its head is text, and the table of the panel has the rest.
 * @module
 */
import { axisEnd } from '../../ui/axis.js';
import { h, svg } from '../../ui/dom.js';

const WIDTH = 320;
const HEIGHT = 96;
const LEFT = 34;
const BOTTOM = 14;
const TOP = 4;

/** @typedef {{name: string, values: readonly (number|null)[]}} Series */
/**
 * @typedef {object} Chart
 * @property {HTMLElement} element
 * @property {(times: readonly number[], series: readonly Series[], value: string) => void} draw
 */

/**
 * @param {{testid: string, title: string, unit: string, least: number, ago: (seconds: number) => string}} how
 *   `least`: the axis reaches at least so far, so that noise does not look like an event
 * @returns {Chart}
 */
export function chart({ testid, title, unit, least, ago }) {
  const now = h('output', { class: 'chart-value' });
  const legend = h('p', { class: 'chart-legend', 'aria-hidden': 'true' });
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'chart', 'aria-hidden': 'true' });
  const element = h('section', { class: 'chart-box', data: { testid } }, h('header', {}, h('h4', {}, title, h('span', { class: 'chart-unit' }, unit)), now), picture, legend);
  return {
    element,
    draw(times, series, value) {
      if (now.textContent !== value) now.textContent = value;
      const top = axisEnd(Math.max(least, ...series.flatMap((s) => s.values.map((v) => v ?? 0))));
      const [from, to] = [times[0] ?? 0, times.at(-1) ?? 1];
      /** @param {number} at */
      const x = (at) => LEFT + ((WIDTH - LEFT - 2) * (at - from)) / Math.max(1, to - from);
      /** @param {number} v */
      const y = (v) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - v / top);
      picture.replaceChildren(
        ...[0, top / 2, top].flatMap((v) => [
          svg('line', { x1: LEFT, x2: WIDTH, y1: y(v), y2: y(v), class: 'chart-grid' }),
          label(LEFT - 4, y(v) + 3, shortNumber(v), 'end'),
        ]),
        label(LEFT, HEIGHT - 2, ago(Math.round((to - from) / 1000)), 'start'),
        label(WIDTH, HEIGHT - 2, ago(0), 'end'),
        ...series.map(({ values }, at) => svg('path', { d: line(times, values, x, y), class: `chart-line chart-line-${at + 1}` })),
      );
      if (legend.childElementCount === series.length) return;
      legend.replaceChildren(...(series.length > 1 ? series.map(({ name }, at) => h('span', { class: `chart-key chart-key-${at + 1}` }, name)) : []));
    },
  };
}

/**
 * @param {readonly number[]} times @param {readonly (number|null)[]} values
 * @param {(at: number) => number} x @param {(value: number) => number} y
 */
function line(times, values, x, y) {
  let pen = 'M';
  let path = '';
  values.forEach((value, at) => {
    if (value === null) return void (pen = 'M');
    path += `${pen}${x(times[at] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

/** @param {number} value */
const shortNumber = (value) => (value >= 10_000 ? `${Math.round(value / 1000)}k` : String(Math.round(value * 10) / 10));

/** @param {number} x @param {number} y @param {string} text @param {'start'|'end'} anchor */
function label(x, y, text, anchor) {
  const element = svg('text', { x, y, 'text-anchor': anchor, class: 'chart-label' });
  element.textContent = text;
  return element;
}
