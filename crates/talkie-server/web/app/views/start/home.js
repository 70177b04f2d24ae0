/**
 * The first page: start a room, or join one.
 * @module
 */
import { parseInvite, randomKey, randomRoomName, toRoomName } from '../../names.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon, logo } from '../../ui/icons.js';

/** @import {View} from '../../ui/dom.js' */
/** @import {IconName} from '../../ui/icons.js' */

/**
 * @param {{go: (room: string, key: string|null) => void}} app
 * @returns {View}
 */
export function homeView({ go }) {
  const t = strings.home;
  const element = h(
    'main',
    { class: 'start', data: { testid: 'home' } },
    h('header', { class: 'brand' }, logo(), h('span', {}, strings.appName)),
    h('div', { class: 'start-lead' }, h('h1', {}, t.title), h('p', {}, t.lead)),
    h('div', { class: 'start-cards' }, startCard(go), joinCard(go)),
    h('ul', { class: 'facts' }, fact('direct', t.factDirect), fact('relay', t.factNat), fact('people', t.factOwn)),
  );
  return { element, dispose() {} };
}

/** @param {(room: string, key: string|null) => void} go */
function startCard(go) {
  const t = strings.home;
  const name = h('input', {
    id: 'start-name', class: 'input', value: randomRoomName(), maxlength: 64, required: true,
    autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'start-error', data: { testid: 'start-name' },
  });
  const error = errorLine('start-error');
  const shuffle = h(
    'button',
    { type: 'button', class: 'icon-button in-field', 'aria-label': t.shuffle, title: t.shuffle, data: { testid: 'shuffle' }, on: { click: () => (name.value = randomRoomName()) } },
    icon('shuffle'),
  );
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const room = toRoomName(name.value);
    if (room) go(room, randomKey());
    else complain(name, error, t.badName);
  };
  return h(
    'form',
    { class: 'card', on: { submit } },
    h('h2', {}, t.startTitle),
    h('p', { class: 'hint' }, t.startHint),
    h('label', { for: 'start-name' }, t.roomName),
    h('div', { class: 'field' }, name, shuffle),
    error,
    h('button', { class: 'button primary wide', data: { testid: 'start' } }, t.start),
  );
}

/** @param {(room: string, key: string|null) => void} go */
function joinCard(go) {
  const t = strings.home;
  const invite = h('input', {
    id: 'join-input', class: 'input', placeholder: t.joinPlaceholder, required: true, autocomplete: 'off',
    autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'join-error', data: { testid: 'join-input' },
  });
  const error = errorLine('join-error');
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const target = parseInvite(invite.value);
    if (target) go(target.room, target.key);
    else complain(invite, error, t.badInvite);
  };
  return h(
    'form',
    { class: 'card', on: { submit } },
    h('h2', {}, t.joinTitle),
    h('p', { class: 'hint' }, t.joinHint),
    h('label', { for: 'join-input' }, t.joinLabel),
    h('div', { class: 'field' }, invite),
    error,
    h('button', { class: 'button wide', data: { testid: 'join' } }, t.join),
  );
}

/** @param {string} id */
function errorLine(id) {
  return h('p', { id, class: 'field-error', role: 'alert', data: { testid: id } });
}

/** @param {HTMLInputElement} input @param {HTMLElement} error @param {string} text */
function complain(input, error, text) {
  error.textContent = text;
  input.setAttribute('aria-invalid', 'true');
  input.focus();
  const settle = () => {
    error.textContent = '';
    input.removeAttribute('aria-invalid');
  };
  input.addEventListener('input', settle, { once: true });
}

/** @param {IconName} name @param {readonly string[]} text */
function fact(name, [title = '', body = '']) {
  return h('li', {}, h('span', { class: 'fact-icon' }, icon(name)), h('div', {}, h('strong', {}, title), h('span', {}, body)));
}
