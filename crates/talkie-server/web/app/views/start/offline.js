/**
 * Says on the pages outside the room that there is no network, or that the server does not answer and
 * the page is the one that was kept. Goes by itself when the network is back.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/** @param {AppStore} store @param {Cleanup} cleanup */
export function offlineNotice(store, cleanup) {
  const t = strings.offline;
  const title = h('strong', {});
  const words = h('span', {});
  const retry = h('button', { type: 'button', class: 'button small', data: { testid: 'offline-retry' }, on: { click: () => location.reload() } }, t.retry);
  const text = h('div', { role: 'status' }, title, words);
  const element = h('div', { class: 'offline', hidden: true, data: { testid: 'offline' } }, icon('offline'), text, retry);
  cleanup.add(
    store.subscribe((s) => (!s.online ? 'network' : s.unreachable ? 'server' : null), (what) => {
      element.hidden = what === null;
      [title.textContent, words.textContent] = what ? t[what] : ['', ''];
    }),
  );
  return element;
}
