/**
 * The connection panel: for one peer at a time the way its packets take, figures, charts of the last
 * minutes, what happened, and what can be done about it. Loaded when it is first opened; it looks, and
 * draws, only while it is open.
 * @module
 */
import { exported } from '../../stats/export.js';
import { section as wordsOf, strings } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { selectField, switchField } from '../../ui/fields.js';
import { toast } from '../../state.js';
import { charts, SHOWN, table } from './charts.js';
import { figures } from './figures.js';
import { candidatesTable, happenings, wayText } from './way.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {View} from '../../ui/dom.js' */
/** @typedef {typeof import('../../strings/en/connection-panel.js').default} Words */

const t = await wordsOf('connectionPanel');

/** @param {AppStore} store @param {Call} call @returns {View} */
export function connectionPanel(store, call) {
  const cleanup = new Cleanup();
  let paused = false;
  const picker = selectField({ label: t.peer, testid: 'connection-peer', value: /** @type {string} */ (''), choices: [], change: (watched) => (store.set({ watched }), draw()) });
  const [now, plotted, rows] = [figures(t), charts(t), table(t)];
  rows.element.hidden = true;
  const way = h('div', { class: 'way' });
  const log = h('ol', { class: 'happened', data: { testid: 'connection-events' } });
  const details = h('details', { data: { testid: 'connection-details' } }, h('summary', {}, t.details));
  const content = h(
    'div',
    { class: 'connection-content' },
    picker,
    section(t.way, way, actions(store, call)),
    section(t.now, now.element),
    section(t.charts, chartControls(plotted.element, rows.element, (on) => (paused = on)), plotted.element, rows.element),
    section(t.happened, log),
    details,
    exportControls(call),
  );
  const nobody = h('p', { class: 'panel-empty', data: { testid: 'connection-nobody' } }, t.nobody);
  const draw = () => {
    const { peers, watched } = store.get();
    const peer = peers.find((p) => p.key === watched) ?? peers[0];
    const record = peer && call.sampler.record(peer.key);
    nobody.hidden = Boolean(record);
    content.hidden = !record;
    if (!peer || !record) return;
    replaceIfOther(way, wayText(t, peer, record, call));
    replaceIfOther(log, happenings(t, record));
    if (details.open) details.replaceChildren(details.firstElementChild ?? '', candidatesTable(t, record));
    if (paused) return;
    const samples = record.history.last(SHOWN);
    now.draw(samples.at(-1));
    if (rows.element.hidden) plotted.draw(samples);
    else rows.draw(samples);
  };
  details.addEventListener('toggle', draw);
  cleanup.add(store.subscribe((s) => s.peers.map((p) => `${p.key} ${p.name}`).join('\n'), () => {
    const { peers, watched } = store.get();
    picker.fill(peers.map((p) => [p.key, p.name || strings.room.guest]), peers.find((p) => p.key === watched)?.key ?? peers[0]?.key ?? '');
    draw();
  }));
  cleanup.add(store.subscribe((s) => s.watched, (watched) => {
    if (watched && store.get().peers.some((p) => p.key === watched)) picker.input.value = watched;
    draw();
  }));
  /** @type {(() => void)|null} */
  let unwatch = null;
  const look = (/** @type {boolean} */ open) => {
    unwatch?.();
    unwatch = open ? call.sampler.watch(draw) : null;
    if (open) draw();
  };
  cleanup.add(store.subscribe((s) => s.panel === 'connection', look));
  cleanup.add(() => look(false));
  return { element: h('div', { class: 'panel-body connection', data: { testid: 'connection-panel' } }, content, nobody), dispose: () => cleanup.run() };
}

/** @param {string} title @param {(Node|false|null)[]} content */
const section = (title, ...content) => h('section', {}, h('h3', {}, title), ...content);

/** Text that is being read out or marked is left alone while it says the same. @param {HTMLElement} place @param {(Node|false|null)[]} content */
function replaceIfOther(place, content) {
  const fresh = content.filter((node) => node instanceof Node);
  if (place.childNodes.length === fresh.length && fresh.every((node, at) => node.isEqualNode(place.childNodes[at] ?? null))) return;
  place.replaceChildren(...fresh);
}

/** @param {AppStore} store @param {Call} call */
function actions(store, call) {
  const watched = () => call.link(store.get().watched ?? '') ?? call.roster.links[0];
  const restart = () => {
    const done = watched()?.restartByHand() ?? false;
    toast(store, done ? 'info' : 'bad', done ? t.restarted : t.notNow);
  };
  return h(
    'div',
    { class: 'button-row' },
    h('button', { type: 'button', class: 'button small', data: { testid: 'ice-restart' }, on: { click: restart } }, t.restart),
    // It asks this page for the descriptions by itself (stats/descriptions.js).
    h('a', { class: 'button small', href: '/sdp', target: '_blank', rel: 'noopener', data: { testid: 'explain-sdp' } }, t.explain),
  );
}

/** @param {HTMLElement} pictures @param {HTMLElement} rows @param {(on: boolean) => void} pause */
function chartControls(pictures, rows, pause) {
  /** @param {string} testid @param {string} off @param {string} on @param {(pressed: boolean) => void} press */
  const toggle = (testid, off, on, press) => {
    const button = h('button', { type: 'button', class: 'button small', 'aria-pressed': 'false', data: { testid } }, off);
    button.addEventListener('click', () => {
      const pressed = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(pressed));
      button.textContent = pressed ? on : off;
      press(pressed);
    });
    return button;
  };
  return h(
    'div',
    { class: 'button-row' },
    toggle('chart-pause', t.pause, t.goOn, pause),
    toggle('chart-as-table', t.table, t.chart, (asTable) => {
      pictures.hidden = asTable;
      rows.hidden = !asTable;
    }),
  );
}

/** @param {Call} call */
function exportControls(call) {
  let addresses = false;
  const save = () => {
    const data = exported(call.sampler.records, { addresses, now: Date.now(), userAgent: navigator.userAgent });
    const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 1)], { type: 'application/json' }));
    h('a', { href: url, download: `call-${data.exportedAt.replace(/[:.]/g, '-')}.json` }).click();
    // The download has begun by then; Firefox wants the URL a little longer than the click.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return h(
    'section',
    { class: 'export' },
    switchField({ label: t.withAddresses, hint: t.withAddressesHint, testid: 'export-addresses', on: false, change: (on) => (addresses = on) }),
    h('button', { type: 'button', class: 'button', data: { testid: 'export' }, on: { click: save } }, t.save),
  );
}
