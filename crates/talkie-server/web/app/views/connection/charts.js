/**
 * The charts of the connection panel: what is drawn of the samples, in which unit, and the value at the
 * head of each. The same figures as a table for who cannot see pictures.
 * @module
 */
import { locale } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { chart } from './chart.js';

/** @import {Sample, Flow} from '../../stats/sample.js' */
/** @import {Words} from './panel.js' */

/** How many samples a chart shows: five minutes at one a second while somebody looks, ten at one in two. */
export const SHOWN = 300;
const ROWS = 30;

/**
 * @typedef {object} Plot
 * @property {string} testid
 * @property {string} title
 * @property {string} unit
 * @property {number} least
 * @property {readonly {name: string, of: (sample: Sample) => number|null}[]} series
 */

/** @param {Flow} flow */
const all = (flow) => (flow.audio === null && flow.video === null ? null : (flow.audio ?? 0) + (flow.video ?? 0));
/** @param {Flow} flow */
const frames = (flow) => flow.screen?.fps ?? flow.camera?.fps ?? null;
/** @param {Flow} flow */
const lines = (flow) => flow.screen?.height ?? flow.camera?.height ?? null;

/** @param {Words} t @returns {Plot[]} */
function plots({ figures: f, units: u }) {
  /** @param {(flow: Flow) => number|null} of */
  const both = (of) => [{ name: f.received, of: (/** @type {Sample} */ s) => of(s.in) }, { name: f.sent, of: (/** @type {Sample} */ s) => of(s.out) }];
  return [
    { testid: 'chart-bitrate', title: f.bitrate, unit: u.kbps, least: 100, series: both(all) },
    { testid: 'chart-rtt', title: f.rtt, unit: u.ms, least: 20, series: [{ name: f.rtt, of: (s) => s.rtt }] },
    { testid: 'chart-loss', title: f.loss, unit: u.percent, least: 2, series: both((flow) => flow.loss) },
    { testid: 'chart-buffer', title: f.buffer, unit: u.ms, least: 50, series: [{ name: f.buffer, of: (s) => s.buffer }] },
    { testid: 'chart-frames', title: f.frames, unit: u.fps, least: 30, series: both(frames) },
    { testid: 'chart-lines', title: f.lines, unit: u.lines, least: 360, series: both(lines) },
  ];
}

/** @param {Words} t */
export function charts(t) {
  const drawn = plots(t).map((plot) => ({ plot, view: chart({ ...plot, ago: t.ago }) }));
  const element = h('div', { class: 'charts', data: { testid: 'charts' } }, ...drawn.map(({ view }) => view.element));
  /** @param {readonly Sample[]} samples */
  const draw = (samples) => {
    const times = samples.map((s) => s.at);
    for (const { plot, view } of drawn) {
      const series = plot.series.map(({ name, of }) => ({ name, values: samples.map(of) }));
      view.draw(times, series, series.map(({ values }) => text(t, values.at(-1) ?? null)).join(' / '));
    }
  };
  return { element, draw };
}

/** @param {Words} t */
export function table(t) {
  const all = plots(t);
  const body = h('tbody', {});
  /** @param {string} words */
  const head = (words) => h('th', { scope: 'col' }, words);
  const columns = all.flatMap((plot) => plot.series.map(({ name }) => head(plot.series.length > 1 ? `${plot.title}, ${name} (${plot.unit})` : `${plot.title} (${plot.unit})`)));
  const element = h(
    'div',
    { class: 'chart-table', tabindex: 0, role: 'group', 'aria-label': t.charts, data: { testid: 'chart-table' } },
    h('table', {}, h('caption', { class: 'visually-hidden' }, t.charts), h('thead', {}, h('tr', {}, head(t.figures.time), ...columns)), body),
  );
  /** @param {readonly Sample[]} samples */
  const draw = (samples) => {
    const rows = samples.slice(-ROWS).toReversed().map((sample) => {
      const values = all.flatMap((plot) => plot.series.map(({ of }) => h('td', {}, text(t, of(sample)))));
      return h('tr', {}, h('th', { scope: 'row' }, timeOf(sample.at)), ...values);
    });
    body.replaceChildren(...rows);
  };
  return { element, draw };
}

/** @param {Words} t @param {number|null} value */
export const text = (t, value) => (value === null ? t.none : (value < 100 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString(locale()));

/** @param {number} at */
export const timeOf = (at) => new Date(at).toLocaleTimeString(locale());
