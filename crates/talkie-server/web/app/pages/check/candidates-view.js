/**
 * Candidates and errors in a table, as they come.
 * @module
 */
import { h } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';
import { table, tableRow } from './table.js';

/** @import {CandidateRow, ErrorRow, Row} from './gather.js' */
/** @import {Words} from './verdict-view.js' */

const MAX_ROWS = 300;

/** @param {Words} words @param {(policy: RTCIceTransportPolicy) => void} changed */
export function candidatesView(words, changed) {
  const { column } = words;
  const { element: frame, body } = table({
    caption: words.candidates,
    columns: [column.time, column.type, column.protocol, column.address, column.port, column.priority, column.foundation, column.server],
    testid: 'candidates',
  });
  const count = h('p', { class: 'hint', data: { testid: 'gathered' } });
  const policy = selectField({
    label: words.policy, testid: 'policy', value: /** @type {RTCIceTransportPolicy} */ ('all'),
    choices: [['all', words.policies.all], ['relay', words.policies.relay]], change: changed,
  });
  const element = h('section', { class: 'card page-section' }, h('div', { class: 'section-row' }, h('div', {}, h('h2', {}, words.candidates), h('p', { class: 'hint' }, words.candidatesHint)), policy), frame, count);
  /** @type {Row[]} */
  let rows = [];
  return {
    element,
    clear() {
      rows = [];
      body.replaceChildren();
      count.textContent = '';
    },
    /** @param {Row} row */
    add(row) {
      rows.push(row);
      if (rows.length <= MAX_ROWS) body.append(row.kind === 'candidate' ? candidate(words, row) : error(words, row));
      const errors = rows.filter(({ kind }) => kind === 'error').length;
      count.textContent = words.gathered(rows.length - errors, errors);
    },
  };
}

/** @param {Words} words @param {CandidateRow} row */
function candidate(words, { ms, type, protocol, tcpType, address, port, priority, parts, foundation, relayProtocol, url }) {
  const kind = words.types[/** @type {keyof Words['types']} */ (type)] ?? type;
  return tableRow(
    [
      h('span', { class: 'nobr' }, words.ms(ms)),
      h('span', {}, kind, relayProtocol && h('span', { class: 'hint block' }, words.relayVia(relayProtocol))),
      `${protocol}${tcpType ? ` ${tcpType}` : ''}`,
      h('code', { dir: 'ltr' }, address),
      String(port),
      h('span', {}, String(priority), h('span', { class: 'hint block' }, words.parts(parts.type, parts.local, parts.component))),
      foundation,
      url ? h('code', { dir: 'ltr' }, url) : url === null ? words.serverUnsaid : words.none,
    ],
    { testid: 'candidate', type, protocol, kind: 'candidate' },
  );
}

/** @param {Words} words @param {ErrorRow} row */
function error(words, { ms, code, text, url, address }) {
  const what = h('td', { colspan: '6' }, h('strong', {}, words.error(code, text)), h('span', { class: 'block' }, words.codes[code] ?? ''), address && h('code', { class: 'block', dir: 'ltr' }, address));
  return h('tr', { data: { testid: 'candidate-error', code: String(code), kind: 'error' } }, h('td', {}, h('span', { class: 'nobr' }, words.ms(ms))), what, h('td', {}, h('code', { dir: 'ltr' }, url || words.none)));
}
