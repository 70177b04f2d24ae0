/**
 * Before the room: a name, a look at oneself, and with what to go in. Its Join button is also the
 * gesture that lets the browser play the others' sound.
 * @module
 */
import { errorText, strings } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { logo } from '../../ui/icons.js';
import { enterButtons, lobbyNotice } from '../trust/lobby-notice.js';
import { lobbyDevices } from './lobby-devices.js';
import { offlineNotice } from './offline.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, enter: (name: string) => void, cancel: () => void, home: () => void}} app
 * @returns {View}
 */
export function lobbyView({ store, local, enter, cancel, home }) {
  const t = strings.lobby;
  const { room, name: known, options } = store.get();
  const cleanup = new Cleanup();
  const name = h('input', {
    id: 'lobby-name', class: 'input', value: known, maxlength: 64, placeholder: t.namePlaceholder,
    autocomplete: 'nickname', dir: 'auto', data: { testid: 'name' },
  });
  const error = h('p', { class: 'field-error', role: 'alert', data: { testid: 'lobby-error' } });
  cleanup.add(store.subscribe((s) => s.notice, (code) => (error.textContent = code ? errorText(code) : '')));
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    enter(name.value);
  };
  const without = h('button', { type: 'button', class: 'button quiet wide', data: { testid: 'enter-without' }, on: { click: () => (local.giveBack(), enter(name.value)) } }, t.enterWithout);
  cleanup.add(store.subscribe((s) => s.waiting || s.brokenKey || s.door?.key === 'mismatch', (shut) => (without.hidden = shut || options.nomedia)));
  const element = h(
    'main',
    { class: 'start lobby', data: { testid: 'lobby' } },
    h('header', { class: 'brand' }, logo(), h('span', {}, strings.appName)),
    offlineNotice(store, cleanup),
    h(
      'div',
      { class: 'lobby-body' },
      lobbyDevices(store, local, cleanup),
      h(
        'form',
        { class: 'card', on: { submit } },
        h('p', { class: 'eyebrow' }, t.eyebrow),
        h('h1', {}, room),
        h('p', { class: 'hint' }, options.nomedia ? t.noDevices : t.hint),
        h('label', { for: 'lobby-name' }, t.name),
        h('div', { class: 'field' }, name),
        lobbyNotice(store, cleanup),
        error,
        ...enterButtons({ store, cancel }, cleanup),
        without,
        h('button', { type: 'button', class: 'button quiet wide', data: { testid: 'back' }, on: { click: home } }, t.back),
      ),
    ),
  );
  queueMicrotask(() => name.focus({ preventScroll: true }));
  return { element, dispose: () => cleanup.run() };
}
