/**
 * What the controls and the keys of the room do.
 * @module
 */
import { problemWords } from '../../media/problem-words.js';
import { canShareScreen } from '../../media/screen.js';
import { preferences, prefer } from '../../preferences.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { listenForShortcuts } from '../../ui/shortcuts.js';
import { allTiles, togglePin } from './tiles.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {PanelName} from '../../types.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/** @typedef {{store: AppStore, local: LocalMedia, call: Call, leave: () => void}} RoomApp */

/** @param {AppStore} store @param {LocalMedia} local @param {'mic'|'camera'} device */
export async function toggleDevice(store, local, device) {
  const { media } = store.get();
  const on = media[device] !== 'on';
  if (on && media.pending) return;
  await (device === 'mic' ? local.setMic(on) : local.setCamera(on));
  const problem = store.get().media.problems[device];
  if (on && problem && store.get().view === 'room') toast(store, 'bad', problemWords(problem, device));
}

/** @param {AppStore} store @param {LocalMedia} local */
export async function toggleScreen(store, local) {
  if (store.get().media.screen) return local.stopScreen();
  if (!canShareScreen()) return toast(store, 'bad', strings.media.screen[isSecureContext ? 'unsupported' : 'insecure']);
  const problem = await local.startScreen();
  if (problem) toast(store, problem === 'refused' ? 'info' : 'bad', strings.media.screen[problem]);
}

/** @param {AppStore} store @param {PanelName} panel */
export function togglePanel(store, panel) {
  store.set({ panel: store.get().panel === panel ? null : panel });
}

export function toggleLayout() {
  prefer({ layout: preferences.get().layout === 'grid' ? 'speaker' : 'grid' });
}

/** @param {RoomApp} app @param {Cleanup} cleanup */
export function listenForKeys(app, cleanup) {
  const { store, local, call } = app;
  cleanup.add(
    listenForShortcuts({
      enabled: () => preferences.get().shortcuts,
      // Without a microphone there is nothing to hold open; asking for one takes longer than a word.
      talk: (on) => {
        if (!on || store.get().media.mic === 'off') void local.hold(on);
      },
      act: (shortcut) => {
        switch (shortcut.name) {
          case 'mic':
          case 'camera':
            return void toggleDevice(store, local, shortcut.name);
          case 'screen':
            return void toggleScreen(store, local);
          case 'hand':
            return call.presence.raiseHand(store.get().hand === null);
          case 'chat':
            return togglePanel(store, 'chat');
          case 'help':
            return void showHelp();
          case 'close':
            return store.set({ panel: null });
          case 'pin':
            return pinNth(store, shortcut.nth);
        }
      },
    }),
  );
}

export async function showHelp() {
  const { shortcutsHelp } = await import('./help.js');
  shortcutsHelp();
}

/** @param {AppStore} store @param {number} nth tile on the stage, from 1 */
function pinNth(store, nth) {
  const tile = allTiles(store.get())[nth - 1];
  if (tile) togglePin(store, tile.id);
}
