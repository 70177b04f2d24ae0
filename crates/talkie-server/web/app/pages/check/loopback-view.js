/**
 * The test call: which way, its progress, its plot, and what each way measured.
 * @module
 */
import { sizeText } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';
import { LoopbackFailed, measureLoopback } from './loopback.js';
import { lossShare } from './meter.js';
import { rttPlot } from './plot.js';
import { table, tableRow } from './table.js';

/** @import {Measured} from './loopback.js' */
/** @import {Inbound, Ping} from './meter.js' */
/** @import {Server} from './servers.js' */
/** @import {LegResult} from './verdict.js' */
/** @import {Words} from './verdict-view.js' */

const DIRECT = '';

/** @param {Words} words @param {(measured: Measured) => void} measured */
export function loopbackView(words, measured) {
  /** @type {Server[]} */
  let servers = [];
  /** @type {AbortController|null} */
  let running = null;
  const way = selectField({ label: words.way, testid: 'loopback-way', value: DIRECT, choices: [[DIRECT, words.direct]], change: () => {} });
  const state = h('p', { class: 'hint', role: 'status', data: { testid: 'loopback-state' } });
  const plot = rttPlot(words.plotEmpty);
  const { element: results, body } = table({ caption: words.resultsTitle, columns: Object.values(words.results), testid: 'loopback-results' });
  results.hidden = true;
  const button = h('button', { type: 'button', class: 'button primary', data: { testid: 'loopback-start' }, on: { click: () => void (running ? running.abort() : start()) } }, words.start);

  const start = async () => {
    const here = new AbortController();
    running = here;
    button.textContent = words.cancel;
    /** @type {Ping[]} */
    const pings = [];
    plot.show([]);
    const server = servers.find(({ url }) => url === way.input.value) ?? null;
    try {
      const found = await measureLoopback({ server, signal: here.signal, phase: (phase) => (state.textContent = words.phases[phase]), ping: (ping) => (pings.push(ping), plot.show([...pings])) });
      state.textContent = words.done;
      if (found.trips) plot.describe(words.plot(found.trips.count, found.trips.median, found.trips.max));
      results.hidden = false;
      body.append(resultRow(words, found, server));
      measured(found);
    } catch (error) {
      state.textContent = words.failed[error instanceof LoopbackFailed ? error.code : 'other'];
    } finally {
      running = null;
      button.textContent = words.start;
    }
  };
  const element = h(
    'section',
    { class: 'card page-section' },
    h('h2', {}, words.loopback),
    h('p', { class: 'hint' }, words.loopbackHint),
    h('div', { class: 'section-row' }, way, button),
    state, plot.element, results,
  );
  return {
    element,
    dispose: () => running?.abort(),
    /** Ways that work come first, so that the first is a good choice. @param {readonly LegResult[]} legs */
    show(legs) {
      const turn = legs.filter(({ server }) => server.leg !== 'stun');
      const ordered = [...turn.filter(({ outcome }) => outcome === 'works'), ...turn.filter(({ outcome }) => outcome !== 'works')];
      const next = ordered.map(({ server }) => server);
      if (next.map(({ url }) => url).join() === servers.map(({ url }) => url).join()) return void (servers = next);
      const chosen = way.input.value;
      const first = servers.length === 0;
      servers = next;
      const choices = [...servers.map(({ url, leg }) => /** @type {const} */ ([url, `${words.legs[leg]} – ${url}`])), /** @type {const} */ ([DIRECT, words.direct])];
      const kept = !first && choices.some(([value]) => value === chosen) ? chosen : choices[0]?.[0] ?? DIRECT;
      way.fill(/** @type {any} */ (choices), /** @type {any} */ (kept));
    },
  };
}

/** @param {Words} words @param {Measured} found @param {Server|null} server */
function resultRow(words, { connectMs, trips, audio, video, bytes, rate, path }, server) {
  const times = trips ? `${trips.median.toFixed(1)} / ${trips.p95.toFixed(1)}` : null;
  return tableRow(
    [
      server ? words.legs[server.leg] : words.direct,
      words.ms(connectMs),
      times === null ? words.none : `${times} ms`,
      trips ? `${trips.lost} / ${trips.count}` : words.none,
      flow(words, audio),
      flow(words, video),
      words.rate(rate.toFixed(rate < 10 ? 1 : 0), sizeText(bytes)),
    ],
    { testid: 'loopback-result', leg: server?.leg ?? 'direct', path: path?.kind ?? '', via: path?.via ?? '' },
  );
}

/** @param {Words} words @param {Inbound|null} inbound */
function flow(words, inbound) {
  return inbound && inbound.received > 0 ? `${lossShare(inbound.lost, inbound.received).toFixed(1)} % / ${inbound.jitter.toFixed(1)} ms` : words.none;
}
