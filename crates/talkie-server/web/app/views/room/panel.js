/**
 * The panel beside the stage (over it on phones): one of several views at a time. Each is made when it is
 * first opened; a new one is a line in `PANELS`, a name in the state's `panel`, a `title` in the strings
 * and its button in tools.js.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { later } from '../connection/later.js';
import { chatPanel } from './chat.js';
import { filesPanel } from '../files/panel.js';
import { peoplePanel } from './people.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {Cleanup, View} from '../../ui/dom.js' */
/** @import {PanelName} from '../../types.js' */

/** @type {Record<PanelName, (store: AppStore, call: Call) => View>} */
export const PANELS = {
  chat: (store, call) => chatPanel(store, call.chat),
  files: (store, call) => filesPanel(store, { transfers: call.transfers, links: () => call.roster.links }),
  connection: (store, call) => later(async () => (await import('../connection/panel.js')).connectionPanel(store, call)),
  people: peoplePanel,
};

/** @param {AppStore} store @param {Call} call @param {Cleanup} cleanup */
export function panel(store, call, cleanup) {
  /** @type {Map<PanelName, View>} */
  const made = new Map();
  const title = h('h2', {});
  const shut = () => {
    const name = store.get().panel;
    const inside = element.contains(document.activeElement);
    store.set({ panel: null });
    // Back to where it was opened; on a phone that button may be in the menu.
    const opener = [name, 'more'].map((id) => document.querySelector(`.toolbar [data-testid="${id}"]`)).find((button) => button?.getClientRects().length);
    if (inside && opener instanceof HTMLElement) opener.focus();
  };
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': strings.close, title: strings.close, data: { testid: 'panel-close' }, on: { click: shut } }, icon('close'));
  const element = h('aside', { class: 'panel', hidden: true, data: { testid: 'panel' } }, h('header', {}, title, close));
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    shut();
  });
  cleanup.add(
    store.subscribe((s) => s.panel, (open) => {
      element.hidden = open === null;
      if (open && !made.has(open)) {
        const view = PANELS[open](store, call);
        made.set(open, view);
        element.append(view.element);
      }
      for (const [name, view] of made) view.element.hidden = name !== open;
      if (!open) return;
      title.textContent = strings[open].title;
      element.setAttribute('aria-label', strings[open].title);
    }),
  );
  cleanup.add(() => made.forEach((view) => view.dispose()));
  // A badge on a tile was pressed.
  const showConnection = (/** @type {Event} */ { target }) => {
    const tile = target instanceof Element ? target.closest('[data-peer]') : null;
    if (tile instanceof HTMLElement) store.set({ panel: 'connection', watched: tile.dataset.peer ?? null });
  };
  document.addEventListener('peer-connection', showConnection);
  cleanup.add(() => document.removeEventListener('peer-connection', showConnection));
  return element;
}
