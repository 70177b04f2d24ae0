/**
 * The room: top bar, banner, stage with the tiles, panel, controls.
 * @module
 */
import { errorText, strings } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { listenForKeys } from './actions.js';
import { announcer } from './announcer.js';
import { panel } from './panel.js';
import { knocks } from '../trust/knocks.js';
import { dropOverlay } from '../files/drop.js';
import { stage } from './stage.js';
import { toolbar } from './toolbar.js';
import { topBar } from './top.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {State} from '../../types.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, call: Call, leave: () => void, retry: () => void}} app
 * @returns {View}
 */
export function roomView(app) {
  const { store, call } = app;
  const cleanup = new Cleanup();
  const element = h(
    'div',
    { class: 'room', data: { testid: 'room' } },
    topBar(store, call, cleanup),
    banner(app, cleanup),
    h('main', { class: 'room-main' }, stage(app, cleanup), panel(store, call, cleanup)),
    h('footer', { class: 'room-foot' }, toolbar(app, cleanup)),
    h('div', { class: 'room-knocks' }, knocks(store, (id, admit) => call.membership.lock.answer(id, admit), cleanup)),
    announcer(store, cleanup),
    dropOverlay(store, { transfers: call.transfers, links: () => call.roster.links }, cleanup),
  );
  listenForKeys(app, cleanup);
  countInTitle(store, cleanup);
  cleanup.add(store.subscribe((s) => s.panel, (open) => (element.dataset.panel = open ?? '')));
  return { element, dispose: () => cleanup.run() };
}

/**
 * @param {{store: AppStore, retry: () => void}} app
 * @param {Cleanup} cleanup
 */
function banner({ store, retry }, cleanup) {
  const words = h('span', {});
  const again = h('button', { type: 'button', class: 'button small', hidden: true, data: { testid: 'retry' }, on: { click: retry } }, strings.banner.retry);
  const element = h('div', { class: 'banner', role: 'status', hidden: true, data: { testid: 'banner' } }, icon('offline'), words, again);
  cleanup.add(
    store.subscribe(bannerCode, (code) => {
      element.hidden = code === '';
      element.dataset.code = code;
      words.textContent = bannerText(code);
      again.hidden = store.get().signaling !== 'ended';
    }),
  );
  return element;
}

/** @param {Readonly<State>} s @returns {string} what is most worth saying, '' when all is well */
function bannerCode(s) {
  if (s.notice) return s.notice;
  if (!s.online) return 'offline';
  if (s.signaling === 'waiting' || (s.signaling === 'connecting' && s.selfId)) return 'reconnecting';
  if (s.selfId === null) return 'connecting';
  return s.draining ? 'server-draining' : '';
}

/** @param {string} code */
function bannerText(code) {
  switch (code) {
    case '':
      return '';
    case 'offline':
    case 'reconnecting':
    case 'connecting':
      return strings.banner[code];
    case 'server-draining':
      return strings.banner.draining;
    default:
      return errorText(code);
  }
}

/** How many messages are unread stands in the tab's title, too. @param {AppStore} store @param {Cleanup} cleanup */
function countInTitle(store, cleanup) {
  const title = document.title;
  cleanup.add(store.subscribe((s) => s.unread, (n) => (document.title = n ? `(${Math.min(n, 99)}) ${title}` : title)));
  cleanup.add(() => (document.title = title));
}
