/**
 * What was found: a verdict in words, tables, and drawings.
 * @module
 */
import { locale } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { copyButton } from '../frame.js';
import { contest, summary } from './figures.js';
import { barsPlot, sharePlot, tripsPlot } from './plot.js';

/** @import {CompareStrings} from './pair-card.js' */
/** @import {Results} from './measure.js' */
/** @import {Trip} from './figures.js' */

const LANES = /** @type {const} */ (['socket', 'channel', 'loose']);

/**
 * @param {CompareStrings} t
 * @param {Results} results
 * @param {keyof CompareStrings['path']|null} path
 */
export function resultsView(t, results, path) {
  const r = t.results;
  const series = LANES.map((name) => ({ name, trips: results.idle[name] }));
  const copy = copyButton({ label: r.copy, done: r.copied, failed: r.copyFailed, testid: 'compare-json', text: () => JSON.stringify({ path, ...results }, null, 1) });
  return h(
    'div',
    { class: 'card compare-card' },
    h('h2', {}, r.title),
    ...verdict(t, results).map((words) => h('p', { class: 'compare-verdict', data: { testid: 'compare-verdict' } }, words)),
    path && h('p', { class: 'hint', data: { testid: 'compare-path', path } }, t.path[path]),
    h('ul', { class: 'legend' }, ...LANES.map((name) => h('li', { class: name }, t.ways[name]))),
    h('h3', {}, r.trips),
    table(t, LANES.map((name) => [name, results.idle[name]]), 'compare-trips'),
    h('div', { class: 'plots' }, h('figure', {}, tripsPlot(r.tripsPlot, series), h('figcaption', {}, r.tripsPlot)), h('figure', {}, sharePlot(r.sharePlot, series), h('figcaption', {}, r.sharePlot))),
    h('h3', {}, r.flows),
    h('figure', { class: 'flows', data: { testid: 'compare-flows' } }, barsPlot(flowsText(t, results), bars(t, results))),
    h('h3', {}, r.busy),
    table(t, /** @type {const} */ (['socket', 'channel']).map((name) => [name, results.busy[name]]), 'compare-busy'),
    h('div', { class: 'compare-buttons' }, copy),
  );
}

/** @param {CompareStrings} t @param {Results} results @returns {string[]} */
function verdict(t, results) {
  const [socket, channel] = [summary(results.idle.socket), summary(results.idle.channel)];
  if (!socket || !channel) return [];
  const [a, b] = [ms(t, channel.median), ms(t, socket.median)];
  const trips = contest(channel.median, socket.median, 0.5);
  const lines = [trips.better === 'even' ? t.verdict.even(a, b) : t.verdict[trips.better === 'a' ? 'faster' : 'slower'](a, b, figure(trips.times))];
  // More is better here.
  const flow = contest(mean(results, 'socket'), mean(results, 'channel'));
  lines.push(flow.better === 'even' ? t.verdict.equal : t.verdict[flow.better === 'a' ? 'wider' : 'narrower'](figure(flow.times)));
  const busy = summary(results.busy.channel);
  if (busy && busy.median > channel.median * 2) lines.push(t.verdict.loaded(ms(t, busy.median), a));
  return lines;
}

/** Bits per second over both directions. @param {Results} results @param {string} way */
function mean(results, way) {
  const rates = results.flows.filter((flow) => flow.way === way).map(rate);
  return rates.reduce((sum, one) => sum + one, 0) / Math.max(1, rates.length);
}

/** @param {{bytes: number, ms: number}} flow */
const rate = ({ bytes, ms: time }) => (time > 0 ? (bytes * 8) / (time / 1000) : 0);

/** @param {CompareStrings} t @param {Results} results */
function bars(t, results) {
  return results.flows.map((flow) => ({
    name: flow.way,
    words: `${flow.way === 'socket' ? 'WebSocket' : 'WebRTC'} · ${t.results[flow.direction]}`,
    value: rate(flow),
    shown: t.results.rate(figure(rate(flow) / 1e6)),
  }));
}

/** @param {CompareStrings} t @param {Results} results */
const flowsText = (t, results) => `${t.results.flowsPlot}: ${bars(t, results).map(({ words, shown }) => `${words} ${shown}`).join('; ')}`;

/**
 * @param {CompareStrings} t
 * @param {[keyof CompareStrings['ways'], readonly Trip[]][]} rows
 * @param {string} testid
 */
function table(t, rows, testid) {
  const r = t.results;
  return h(
    'div',
    { class: 'table-scroll' },
    h(
      'table',
      { data: { testid } },
      h('thead', {}, h('tr', {}, ...[r.way, r.median, r.p95, r.jitter, r.lost].map((words) => h('th', { scope: 'col' }, words)))),
      h('tbody', {}, ...rows.map(([name, trips]) => row(t, name, trips))),
    ),
  );
}

/** @param {CompareStrings} t @param {keyof CompareStrings['ways']} name @param {readonly Trip[]} trips */
function row(t, name, trips) {
  const s = summary(trips);
  const cells = s ? [ms(t, s.median), ms(t, s.p95), ms(t, s.jitter), `${figure(s.lost * 100)} %`] : ['–', '–', '–', '–'];
  return h('tr', { data: { way: name } }, h('th', { scope: 'row' }, t.ways[name]), ...cells.map((words) => h('td', {}, words)));
}

/** @param {CompareStrings} t @param {number} value */
const ms = (t, value) => t.results.ms(figure(value));

/** @param {number} value */
const figure = (value) => value.toLocaleString(locale(), { maximumFractionDigits: value < 10 ? 1 : 0 });
