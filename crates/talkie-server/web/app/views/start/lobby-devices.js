/**
 * The devices in the lobby: how one looks and sounds, with what to go in, and which camera, microphone
 * and speaker. Every part has its room from the start, so that nothing jumps when the browser lets us in.
 * @module
 */
import { allProblems } from '../../media/problem-words.js';
import { prefer } from '../../preferences.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { deviceButton } from '../room/round-buttons.js';
import { levelMeter } from '../settings/meter.js';
import { openSettings } from '../settings/open.js';
import { devicePicker, speakerPicker } from '../settings/pickers.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {MediaView} from '../../types.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/** @param {AppStore} store @param {LocalMedia} local @param {Cleanup} cleanup */
export function lobbyDevices(store, local, cleanup) {
  const { nomedia } = store.get().options;
  const problems = h('div', { class: 'problems', role: 'status', data: { testid: 'lobby-problem' } });
  cleanup.add(store.subscribe((s) => s.media.problems, (now) => problems.replaceChildren(...allProblems(now).map(problemLine))));
  return h('section', { class: 'preview-column' }, preview(store, local, cleanup), !nomedia && controls(store, local, cleanup), problems);
}

/** @param {AppStore} store @param {LocalMedia} local @param {Cleanup} cleanup */
function preview(store, local, cleanup) {
  const { nomedia } = store.get().options;
  const video = h('video', { autoplay: true, playsinline: true, 'aria-hidden': 'true', data: { testid: 'preview' } });
  video.muted = true;
  const words = h('p', { class: 'preview-words' });
  const frame = h('div', { class: 'preview', data: { camera: 'none' } }, video, words);
  if (!nomedia) {
    const buttons = /** @type {const} */ (['mic', 'camera']).map((device) => remembered(device, deviceButton(device, store, local, cleanup), store));
    frame.append(h('div', { class: 'preview-buttons' }, ...buttons));
  }
  cleanup.add(
    store.subscribe((s) => s.media, (media) => {
      frame.dataset.camera = media.camera;
      showTrack(video, local.tracks.get('camera') ?? null);
      words.textContent = previewWords(media, nomedia);
    }),
  );
  cleanup.add(() => (video.srcObject = null));
  return frame;
}

/** How somebody goes in is how they go in next time. @param {'mic'|'camera'} device @param {HTMLElement} button @param {AppStore} store */
function remembered(device, button, store) {
  const before = () => {
    const off = store.get().media[device] === 'on';
    prefer(device === 'mic' ? { joinMuted: off } : { joinWithoutCamera: off });
  };
  button.addEventListener('click', before, true);
  return button;
}

/** @param {AppStore} store @param {LocalMedia} local @param {Cleanup} cleanup */
function controls(store, local, cleanup) {
  const app = { store, local };
  const settings = h('button', { type: 'button', class: 'button', data: { testid: 'settings' }, on: { click: () => void openSettings(app) } }, icon('settings'), h('span', {}, strings.toolbar.settings));
  // On a phone they would push the way in out of sight.
  const folded = h(
    'details',
    { class: 'lobby-pickers', open: matchMedia('(min-width: 47rem)').matches },
    h('summary', { data: { testid: 'lobby-devices' } }, strings.media.choose),
    h('div', { class: 'pickers' }, devicePicker('camera', app, cleanup), devicePicker('mic', app, cleanup)),
    h('div', { class: 'pickers' }, speakerPicker(cleanup), settings),
  );
  return h('div', { class: 'lobby-devices' }, levelMeter(local, cleanup), folded);
}

/** @param {MediaView} media @param {boolean} nomedia */
function previewWords(media, nomedia) {
  if (nomedia) return strings.lobby.noDevices;
  if (media.pending && media.camera !== 'off') return strings.lobby.asking;
  return media.camera === 'on' ? '' : strings.lobby.cameraOff;
}

/** @param {string} line */
function problemLine(line) {
  return h('p', { class: 'problem' }, icon('warning'), h('span', {}, `${line} ${strings.media.goesOn}`));
}

/** @param {HTMLVideoElement} video @param {MediaStreamTrack|null} track */
export function showTrack(video, track) {
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] ?? null : null;
  if (shown !== track) video.srcObject = track && new MediaStream([track]);
}
