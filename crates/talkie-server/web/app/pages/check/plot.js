/**
 * Round-trip times over time, drawn as they come in.
 * @module
 */
import { axisEnd } from '../../ui/axis.js';
import { svg } from '../../ui/dom.js';

/** @import {Ping} from './meter.js' */

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [800, 160, 90, 28];
const SPAN_MS = 3000;

/** @param {string} empty what a screen reader is told while there is nothing */
export function rttPlot(empty) {
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'rtt-plot', role: 'img', 'aria-label': empty });
  /** @type {Ping[]} */
  let pings = [];
  const draw = () => {
    const top = axisEnd(Math.max(1, ...pings.map(({ rtt }) => rtt)));
    const x = (/** @type {number} */ at) => LEFT + (Math.min(at, SPAN_MS) / SPAN_MS) * (WIDTH - LEFT - 4);
    const y = (/** @type {number} */ rtt) => HEIGHT - BOTTOM - (rtt / top) * (HEIGHT - BOTTOM - 22);
    const line = svg('polyline', { class: 'rtt-line', points: [...pings].sort((a, b) => a.at - b.at).map(({ at, rtt }) => `${x(at).toFixed(1)},${y(rtt).toFixed(1)}`).join(' ') });
    const grid = [0, top / 2, top].flatMap((value) => [
      svg('line', { class: 'rtt-grid', x1: LEFT, x2: WIDTH - 4, y1: y(value), y2: y(value) }),
      label(`${value < 1 ? value.toFixed(1) : value} ms`, LEFT - 6, y(value) + 5, 'end'),
    ]);
    const times = [0, 1, 2, 3].map((second) => label(`${second} s`, x(second * 1000), HEIGHT - 4, second === 3 ? 'end' : second ? 'middle' : 'start'));
    drawing.replaceChildren(...grid, ...times, line);
  };
  draw();
  let planned = false;
  return {
    element: drawing,
    /** @param {Ping[]} all */
    show(all) {
      pings = all;
      if (planned) return;
      planned = true;
      requestAnimationFrame(() => ((planned = false), draw()));
    },
    /** @param {string} text */
    describe: (text) => drawing.setAttribute('aria-label', text),
  };
}

/** @param {string} text @param {number} x @param {number} y @param {string} anchor */
function label(text, x, y, anchor) {
  const element = svg('text', { x, y, 'text-anchor': anchor, class: 'rtt-text' });
  element.textContent = text;
  return element;
}
