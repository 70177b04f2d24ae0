/**
 * After the call.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { logo } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {{store: AppStore, rejoin: () => void, home: () => void}} app
 * @returns {View}
 */
export function leftView({ store, rejoin, home }) {
  const t = strings.left;
  const { room } = store.get();
  // A line may end before the room's name, rather than at a hyphen in it.
  const [before = '', behind = ''] = t.title('\n').split('\n');
  const again = h('button', { type: 'button', class: 'button primary wide', data: { testid: 'rejoin' }, on: { click: rejoin } }, t.rejoin);
  const element = h(
    'main',
    { class: 'start left', data: { testid: 'left' } },
    h('header', { class: 'brand' }, logo(), h('span', {}, strings.appName)),
    h(
      'section',
      { class: 'card' },
      h('h1', {}, before, h('span', {}, room), behind),
      h('p', { class: 'hint' }, t.ended),
      again,
      h('button', { type: 'button', class: 'button quiet wide', data: { testid: 'home-link' }, on: { click: home } }, t.home),
    ),
  );
  queueMicrotask(() => again.focus());
  return { element, dispose() {} };
}
