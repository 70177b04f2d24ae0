/**
 * The round buttons of the call controls, and the two of them that stand elsewhere as well: microphone
 * and camera.
 * @module
 */
import { strings } from '../../strings.js';
import { h, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { KEYS } from '../../ui/shortcuts.js';
import { toggleDevice } from './actions.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {IconName} from '../../ui/icons.js' */

/**
 * @param {string} testid
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} press
 * @param {string} [style]
 */
export function roundButton(testid, name, label, press, style = '') {
  return h('button', { type: 'button', class: `round ${style}`, 'aria-label': label, title: label, data: { testid }, on: { click: press } }, icon(name));
}

/** @param {HTMLButtonElement} button @param {IconName} name @param {string} label @param {string} [key] */
export function dress(button, name, label, key) {
  button.querySelector('.icon')?.replaceWith(icon(name));
  button.setAttribute('aria-label', label);
  button.title = key ? `${label} (${key})` : label;
  setAttribute(button, 'aria-keyshortcuts', key);
}

/**
 * @param {'mic'|'camera'} device
 * @param {AppStore} store
 * @param {LocalMedia} local
 * @param {Cleanup} cleanup
 */
export function deviceButton(device, store, local, cleanup) {
  const t = strings.toolbar;
  const button = roundButton(device, device, '', () => void toggleDevice(store, local, device));
  cleanup.add(
    store.subscribe((s) => s.media, (media) => {
      const on = media[device] === 'on';
      const key = store.get().view === 'room' ? KEYS[device] : undefined;
      button.dataset.state = media[device];
      setAttribute(button, 'aria-pressed', on ? 'true' : 'false');
      setAttribute(button, 'data-problem', media.problems[device]);
      if (device === 'mic') dress(button, on ? 'mic' : 'micOff', on ? t.micOff : media.mic === 'off' ? t.micOn : t.micNone, key);
      else dress(button, on ? 'camera' : 'cameraOff', on ? t.cameraOff : t.cameraOn, key);
      button.disabled = media.pending && !on;
    }),
  );
  return button;
}
