/**
 * The first page: start a room, or join one.
 * @module
 */
import { parseInvite, randomKey, randomRoomName, toRoomName } from '../../names.js';
import { language, speak, strings } from '../../strings.js';
import { LANGUAGES } from '../../strings/language.js';
import { Cleanup, h } from '../../ui/dom.js';
import { icon, logo } from '../../ui/icons.js';
import { offlineNotice } from './offline.js';
import { recentSection } from './recent.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Language} from '../../strings/language.js' */
/** @import {View} from '../../ui/dom.js' */
/** @import {IconName} from '../../ui/icons.js' */

/**
 * @param {{store: AppStore, go: (room: string, key: string|null) => void}} app
 * @returns {View}
 */
export function homeView({ store, go }) {
  const t = strings.home;
  const cleanup = new Cleanup();
  const element = h(
    'div',
    { class: 'start', data: { testid: 'home' } },
    h('header', { class: 'brand' }, logo(), h('span', {}, strings.appName)),
    h(
      'main',
      { class: 'start-body' },
      offlineNotice(store, cleanup),
      h('div', { class: 'start-lead' }, h('h1', {}, t.title), h('p', {}, t.lead)),
      h('div', { class: 'start-cards' }, startCard(go), joinCard(go), recentSection(go)),
      h('ul', { class: 'facts' }, fact('direct', t.factDirect), fact('relay', t.factNat), fact('people', t.factOwn)),
    ),
    foot(),
  );
  return { element, dispose: () => cleanup.run() };
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

/** The other pages, and the language. */
function foot() {
  const t = strings.home;
  const choice = h(
    'select',
    { class: 'language', id: 'language', autocomplete: 'off', data: { testid: 'language' } },
    ...Object.entries(LANGUAGES).map(([tag, name]) => h('option', { value: tag, lang: tag, selected: tag === language() }, name)),
  );
  choice.addEventListener('change', async () => {
    await speak(/** @type {Language} */ (choice.value));
    document.getElementById('language')?.focus();
  });
  return h(
    'footer',
    { class: 'start-foot' },
    h(
      'nav',
      { 'aria-label': t.tools },
      h('a', { href: '/check', data: { testid: 'check-link' } }, t.check),
      h('a', { href: '/sdp', data: { testid: 'sdp-link' } }, t.sdp),
      h('a', { href: '/compare', data: { testid: 'compare-link' } }, t.compare),
    ),
    h('span', { class: 'spring' }),
    h('label', { for: 'language', class: 'visually-hidden' }, t.language),
    choice,
  );
}
