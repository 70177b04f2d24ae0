/**
 * The registry of the controls beside microphone and camera: what each looks like, does, and where it
 * stands. A new one is an entry here. Panels (panel.js) get theirs by being a panel.
 * @module
 */
import { canShareScreen } from '../../media/screen.js';
import { preferences } from '../../preferences.js';
import { strings } from '../../strings.js';
import { KEYS } from '../../ui/shortcuts.js';
import { showHelp, toggleLayout, togglePanel, toggleScreen } from './actions.js';
import { openSettings } from '../settings/open.js';
import { PANELS } from './panel.js';
import { canPictureInPicture, pictureInPicture } from './picture.js';

/** @import {IconName} from '../../ui/icons.js' */
/** @import {PanelName, State} from '../../types.js' */
/** @import {RoomApp} from './actions.js' */

/**
 * @typedef {object} Look
 * @property {IconName} icon
 * @property {string} label what pressing it does
 * @property {boolean} [pressed] for what is on or off
 * @property {boolean} [expanded] for what opens something beside it
 * @property {number} [count] shown on its corner
 * @property {boolean} [hidden]
 */

/**
 * @typedef {object} Tool
 * @property {string} id the testid of its button; in the "More" menu of a narrow window `more-` and this
 * @property {'bar'|'wide'|'menu'} place always in the bar; in the bar where there is room and else in "More"; always in "More"
 * @property {number} [group] tools of a group stand together
 * @property {string} [key]
 * @property {(state: Readonly<State>) => Look} look
 * @property {(button: HTMLElement) => void} press
 */

/** @type {Record<PanelName, {icon: IconName, place: Tool['place'], key?: string, id?: string, count?: (state: Readonly<State>) => number, counted?: (n: number) => string}>} `counted`: the label when there is something to count */
const PANEL_TOOLS = {
  chat: { icon: 'chat', place: 'bar', key: KEYS.chat, count: (s) => s.unread, counted: (n) => strings.toolbar.chatUnread(n) },
  connection: { icon: 'chart', place: 'menu' },
  files: { icon: 'files', place: 'bar', count: (s) => s.transfers.filter((one) => one.state === 'offered').length },
  // `people` is the testid of the count in the top bar, which opens the same panel.
  people: { icon: 'people', place: 'wide', id: 'people-open', count: (s) => s.knocks.length, counted: (n) => strings.people.buttonKnocks(n) },
};

/** @param {RoomApp} app @param {{react: (button: HTMLElement) => void}} open @returns {Tool[]} */
export function roomTools({ store, local, call }, { react }) {
  const t = strings.toolbar;
  return [
    {
      id: 'screen', place: 'wide', group: 1, key: KEYS.screen, press: () => void toggleScreen(store, local),
      // Phones' browsers have no screen to share: there the button would only be in the way.
      look: ({ media: { screen } }) => ({ icon: screen ? 'screenStop' : 'screen', label: screen ? t.screenOff : t.screenOn, pressed: screen, hidden: isSecureContext && !canShareScreen() }),
    },
    {
      id: 'hand', place: 'bar', group: 2, key: KEYS.hand, press: () => call.presence.raiseHand(store.get().hand === null),
      look: ({ hand }) => ({ icon: 'hand', label: hand === null ? t.handUp : t.handDown, pressed: hand !== null }),
    },
    { id: 'react', place: 'wide', group: 2, press: react, look: () => ({ icon: 'smile', label: t.react }) },
    {
      id: 'layout', place: 'wide', group: 2, press: toggleLayout,
      look: () => (preferences.get().layout === 'grid' ? { icon: 'layout', label: t.speaker, pressed: false } : { icon: 'grid', label: t.grid, pressed: true }),
    },
    ...panelTools((panel) => togglePanel(store, panel)),
    { id: 'pip', place: 'menu', press: () => void pictureInPicture({ store, local, call }), look: () => ({ icon: 'pip', label: t.pip, hidden: !canPictureInPicture() }) },
    {
      id: 'record', place: 'menu', press: () => void call.recording.toggle(),
      look: ({ recording }) => ({ icon: recording ? 'stop' : 'record', label: recording ? t.recordStop : t.record }),
    },
    {
      id: 'hold', place: 'menu', press: () => call.hold.set(!store.get().held),
      look: ({ held }) => ({ icon: held ? 'play' : 'pause', label: held ? t.resume : t.hold }),
    },
    { id: 'settings', place: 'menu', press: () => void openSettings({ store, local, call }), look: () => ({ icon: 'settings', label: t.settings }) },
    { id: 'help', place: 'menu', key: KEYS.help, press: () => void showHelp(), look: () => ({ icon: 'keyboard', label: t.shortcuts }) },
  ];
}

/** @param {(panel: PanelName) => void} toggle @returns {Tool[]} */
function panelTools(toggle) {
  const names = /** @type {PanelName[]} */ (Object.keys(PANELS));
  return names.map((name) => {
    const { icon, place, key, id = name, count, counted } = PANEL_TOOLS[name];
    return {
      id, place, group: 3, ...(key && { key }), press: () => toggle(name),
      look: (state) => {
        const n = count?.(state) ?? 0;
        return { icon, label: n && counted ? counted(n) : strings[name].title, expanded: state.panel === name, count: n };
      },
    };
  });
}
