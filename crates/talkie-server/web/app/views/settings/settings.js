/**
 * The settings: a dialog with a tab for each kind. A tab is an entry in `TABS`: its name, its title in the
 * strings, and the module that makes it, which is loaded when the tab is first shown.
 * @module
 */
import { onLanguage, section } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { showDialog } from '../../ui/dialog.js';
import { tabs } from '../../ui/tabs.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */

/** @typedef {{store: AppStore, local: LocalMedia, call?: Call}} SettingsApp `call` while there is one */
/** @typedef {(app: SettingsApp, cleanup: Cleanup) => HTMLElement} MakeTab `cleanup` runs when the dialog closes */

/** @type {{audio: () => Promise<MakeTab>, [name: string]: () => Promise<MakeTab>}} */
const TABS = {
  audio: async () => (await import('./audio.js')).audioTab,
  video: async () => (await import('./video.js')).videoTab,
  effects: async () => (await import('./effects.js')).effectsTab,
  sending: async () => (await import('./sending.js')).sendingTab,
  general: async () => (await import('./general.js')).generalTab,
};

/** @typedef {'audio'|'video'|'effects'|'sending'|'general'} TabName */

const words = await section('settings');
let open = false;

/** @param {SettingsApp} app @param {TabName} [first] */
export function showSettings(app, first = 'audio') {
  if (open) return;
  open = true;
  let anew = false;
  const cleanup = new Cleanup();
  const names = /** @type {TabName[]} */ (Object.keys(TABS));
  const all = names.map((name) => ({
    name, title: words.tabs[name], panel: h('div', { class: 'tab-panel', data: { testid: `panel-${name}` } }),
    make: async () => (await TABS[name]?.())?.(app, cleanup) ?? null,
  }));
  const content = h('div', {}, tabs(all, { label: words.title, first }), h('div', { class: 'tab-panels' }, ...all.map(({ panel }) => panel)));
  const shown = showDialog(
    {
      title: words.title, testid: 'settings', wide: true,
      closed: () => {
        open = false;
        cleanup.run();
        if (anew) showInOtherWords(app);
      },
    },
    content,
  );
  shown.element.classList.add('settings');
  cleanup.add(onLanguage(() => {
    anew = true;
    shown.close();
  }));
  // Who is thrown out of the room is not left with a dialog about it.
  const view = app.store.get().view;
  cleanup.add(app.store.subscribe((s) => s.view, (now) => now !== view && shown.close()));
}

/** Where the language is chosen, with the focus where it was. @param {SettingsApp} app */
function showInOtherWords(app) {
  showSettings(app, 'general');
  requestAnimationFrame(() => /** @type {HTMLElement|null} */ (document.querySelector('.settings [data-testid="language"]'))?.focus());
}
