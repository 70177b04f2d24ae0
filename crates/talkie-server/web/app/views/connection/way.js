/**
 * The way of the packets in words, why it is no shorter, and the candidates behind it.
 * @module
 */
import { explain, reasonsHere } from '../../stats/reasons.js';
import { h } from '../../ui/dom.js';
import { timeOf } from './charts.js';

/** @import {Call} from '../../session/call.js' */
/** @import {Record} from '../../stats/sampler.js' */
/** @import {PeerView} from '../../types.js' */
/** @import {Words} from './panel.js' */

/**
 * @param {Words} t
 * @param {PeerView} peer
 * @param {Record} record
 * @param {Call} call
 */
export function wayText(t, peer, record, call) {
  const link = call.link(peer.key);
  const { relay: relayOnly, transport } = call.store.get().options;
  const ours = reasonsHere({ ...record.trace, relayOnly, transport });
  const said = explain(peer.path, ours, link && call.monitor.theirReasons(link));
  const relayed = peer.path?.kind === 'relay';
  return [
    h('p', { data: { testid: 'connection-way' } }, wayOf(t, peer)),
    relayed && h('h4', {}, t.why),
    relayed && h(
      'div',
      { class: 'why', data: { testid: 'connection-why' } },
      said.ours.length > 0 && h('p', {}, t.here),
      list(said.ours.map(({ code, sure }) => (sure ? t.reasons[code] : `${t.reasons[code]} (${t.likely})`))),
      said.theirs.length > 0 && h('p', {}, t.there(peer.name)),
      list(said.theirs.map((code) => t.reasons[code])),
      said.unexplained && h('p', {}, t.unexplained),
      said.theirsUnknown && h('p', { class: 'hint' }, t.theirsUnknown),
      h('p', { class: 'hint' }, t.whenRelayed),
    ),
  ];
}

/** @param {Words} t @param {PeerView} peer */
function wayOf(t, { path, phase }) {
  if (!path || phase !== 'connected') return t.ways.none;
  if (path.kind !== 'relay') return t.ways[path.kind];
  const legs = { udp: t.ways.relayUdp, tcp: t.ways.relayTcp, tls: t.ways.relayTls };
  const leg = path.via ? legs[path.via] : t.ways.relayTheirs;
  return `${t.ways.relay} ${leg}`;
}

/** @param {string[]} items */
const list = (items) => items.length > 0 && h('ul', {}, ...items.map((item) => h('li', {}, item)));

/** @param {Words} t @param {Record} record */
export function candidatesTable(t, { reading, trace }) {
  const pair = reading?.pair;
  /** @param {string[]} cells */
  const row = (...cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell)));
  /** @param {{type: string, protocol: string, relayProtocol: string|null, address: string, port: number}} end */
  const cells = ({ type, protocol, relayProtocol, address, port }) => [type, relayProtocol ? `${protocol} (${relayProtocol})` : protocol, address ? `${address.includes(':') ? `[${address}]` : address}:${port}` : t.none];
  /** @param {string} title @param {HTMLElement[]} rows */
  const group = (title, rows) => h('tbody', {}, h('tr', {}, h('th', { colspan: 4, scope: 'rowgroup' }, title)), ...rows);
  return h(
    'table',
    { class: 'candidates', data: { testid: 'connection-candidates' } },
    h('thead', {}, h('tr', {}, ...t.pairHead.map((head) => h('th', { scope: 'col' }, head)))),
    group(t.inUse, pair ? [row(t.ours, ...cells(pair.local)), row(t.theirs, ...cells(pair.remote))] : []),
    group(t.gathered, trace.local.map((candidate) => row(t.ours, ...cells(candidate)))),
    group(t.theirs, trace.remote.map((candidate) => row(t.theirs, ...cells(candidate)))),
    trace.errors.length > 0 && group(t.gatheringErrors, trace.errors.map(({ code, url, text }) => row(String(code), '', '', `${url} ${text}`))),
  );
}

const EVENTS_SHOWN = 40;

/** @param {Words} t @param {Record} record */
export function happenings(t, { trace }) {
  return trace.events.slice(-EVENTS_SHOWN).toReversed().map(({ at, what, detail }) =>
    h('li', { data: { what } }, h('time', { datetime: new Date(at).toISOString() }, timeOf(at)), h('span', {}, detail ? t.of(t.events[what], detail) : t.events[what])),
  );
}
