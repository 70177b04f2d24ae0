/**
 * The servers and what became of each, and the form for another one.
 * @module
 */
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { readForm } from './servers.js';
import { table, tableRow } from './table.js';

/** @import {FormFault, Server} from './servers.js' */
/** @import {LegResult} from './verdict.js' */
/** @import {Words} from './verdict-view.js' */

/**
 * @param {Words} words
 * @param {{add: (server: Server) => FormFault|null, reset: () => void}} act
 */
export function serversView(words, { add, reset }) {
  const { column } = words;
  const { element: frame, body } = table({ caption: words.servers, columns: [column.leg, column.outcome, column.time, column.url], testid: 'legs' });
  const none = h('p', { class: 'hint', hidden: true }, words.noServers);
  const element = h('section', { class: 'card page-section' }, h('h2', {}, words.servers), h('p', { class: 'hint' }, words.serversHint), frame, none, form(words, add, reset));
  return {
    element,
    /** @param {readonly LegResult[]} legs @param {boolean} done */
    show(legs, done) {
      frame.hidden = legs.length === 0;
      none.hidden = legs.length > 0 || !done;
      body.replaceChildren(...legs.map((leg) => row(words, leg)));
    },
  };
}

/** @param {Words} words @param {LegResult} result */
function row(words, { server, outcome, code, ms }) {
  const good = outcome === 'works';
  const text = words.outcomes[outcome ?? 'pending'];
  const result = h('span', { class: 'outcome', data: { good: String(good), pending: String(outcome === null) } }, outcome === null ? null : icon(good ? 'check' : 'warning'), `${text}${code !== null && !good ? ` (${code})` : ''}`);
  return tableRow([words.legs[server.leg], result, outcome === null ? '' : h('span', { class: 'nobr' }, words.ms(ms)), h('code', { dir: 'ltr' }, server.url)], { testid: 'leg', leg: server.leg, outcome: outcome ?? 'pending', url: server.url });
}

/** @param {Words} words @param {(server: Server) => FormFault|null} add @param {() => void} reset */
function form(words, add, reset) {
  const t = words.form;
  const url = input('ice-url', { placeholder: t.placeholder, inputmode: 'url' });
  const username = input('ice-username', {});
  const credential = input('ice-credential', { type: 'password' });
  const error = h('p', { id: 'ice-error', class: 'field-error', role: 'alert', data: { testid: 'ice-error' } });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const read = readForm({ url: url.value, username: username.value, credential: credential.value });
    const fault = 'fault' in read ? read.fault : add(read.server);
    error.textContent = fault ? t.faults[fault] : '';
    const wrong = fault === 'badUrl' ? url : fault === 'noCredentials' ? (username.value ? credential : username) : null;
    for (const field of [url, username, credential]) field.toggleAttribute('aria-invalid', field === wrong);
    wrong?.focus();
  };
  const field = (/** @type {HTMLInputElement} */ control, /** @type {string} */ label) => h('div', { class: 'field-column' }, h('label', { for: control.id }, label), control);
  return h(
    'details',
    { class: 'more' },
    h('summary', { data: { testid: 'ice-form' } }, t.title),
    h(
      'form',
      { class: 'server-form', autocomplete: 'off', on: { submit } },
      field(url, t.url), field(username, t.username), field(credential, t.credential), error,
      h('p', { class: 'hint' }, t.hint),
      h('div', { class: 'button-row' }, h('button', { class: 'button primary', data: { testid: 'ice-test' } }, t.test), h('button', { type: 'button', class: 'button', data: { testid: 'ice-reset' }, on: { click: reset } }, t.reset)),
    ),
  );
}

/** @param {string} id @param {Record<string, string>} more */
function input(id, more) {
  return h('input', { id, class: 'input', type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 1024, dir: 'ltr', 'aria-describedby': 'ice-error', data: { testid: id }, ...more });
}
