/**
 * The panel beside the stage (over it on phones): one of several views at a time. Each is made when it is
 * first opened; a new one is a line in `make` and a name in the state's `panel`.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { chatPanel } from './chat.js';
import { filesPanel } from './files.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {Cleanup, View} from '../../ui/dom.js' */
/** @import {PanelName} from '../../types.js' */

/** @param {AppStore} store @param {Call} call @param {Cleanup} cleanup */
export function panel(store, call, cleanup) {
  /** @type {Record<PanelName, () => View>} */
  const make = {
    chat: () => chatPanel(store, call.chat),
    files: () => filesPanel(store, { transfers: call.transfers, links: () => call.roster.links }),
  };
  /** @type {Map<PanelName, View>} */
  const made = new Map();
  const title = h('h2', {});
  const shut = () => store.set({ panel: null });
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': strings.close, title: strings.close, data: { testid: 'panel-close' }, on: { click: shut } }, icon('close'));
  const element = h('aside', { class: 'panel', hidden: true, data: { testid: 'panel' } }, h('header', {}, title, close));
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) shut();
  });
  cleanup.add(
    store.subscribe((s) => s.panel, (open) => {
      element.hidden = open === null;
      if (open && !made.has(open)) {
        const view = make[open]();
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
  return element;
}
