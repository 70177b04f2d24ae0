/**
 * Before the room: a name, a look at oneself, and with what to go in. Its Join button is also the
 * gesture that lets the browser play the others' sound.
 * @module
 */
import { errorText, strings } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { icon, logo } from '../../ui/icons.js';
import { enterButtons, lobbyNotice } from '../trust/lobby-notice.js';
import { deviceButton } from '../room/toolbar.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {MediaView} from '../../types.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, enter: (name: string) => void, cancel: () => void, home: () => void}} app
 * @returns {View}
 */
export function lobbyView({ store, local, enter, cancel, home }) {
  const t = strings.lobby;
  const { room, name: known, options } = store.get();
  const cleanup = new Cleanup();
  const name = h('input', {
    id: 'lobby-name', class: 'input', value: known, maxlength: 64, placeholder: t.namePlaceholder,
    autocomplete: 'nickname', dir: 'auto', data: { testid: 'name' },
  });
  const error = h('p', { class: 'field-error', role: 'alert', data: { testid: 'lobby-error' } });
  cleanup.add(store.subscribe((s) => s.notice, (code) => (error.textContent = code ? errorText(code) : '')));
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    enter(name.value);
  };
  const element = h(
    'main',
    { class: 'start lobby', data: { testid: 'lobby' } },
    h('header', { class: 'brand' }, logo(), h('span', {}, strings.appName)),
    h(
      'div',
      { class: 'lobby-body' },
      preview(store, local, cleanup),
      h(
        'form',
        { class: 'card', on: { submit } },
        h('p', { class: 'eyebrow' }, t.eyebrow),
        h('h1', {}, room),
        h('p', { class: 'hint' }, options.nomedia ? t.noDevices : t.hint),
        h('label', { for: 'lobby-name' }, t.name),
        h('div', { class: 'field' }, name),
        lobbyNotice(store, cleanup),
        error,
        ...enterButtons({ store, cancel }, cleanup),
        h('button', { type: 'button', class: 'button quiet wide', data: { testid: 'back' }, on: { click: home } }, t.back),
      ),
    ),
  );
  queueMicrotask(() => name.focus({ preventScroll: true }));
  return { element, dispose: () => cleanup.run() };
}

/** @param {AppStore} store @param {LocalMedia} local @param {Cleanup} cleanup */
function preview(store, local, cleanup) {
  const video = h('video', { autoplay: true, playsinline: true, 'aria-hidden': 'true', data: { testid: 'preview' } });
  video.muted = true;
  const words = h('p', { class: 'preview-words' });
  const problems = h('div', { class: 'problems', role: 'status', data: { testid: 'lobby-problem' } });
  const frame = h('div', { class: 'preview', data: { camera: 'none' } }, video, words);
  if (!store.get().options.nomedia) {
    frame.append(h('div', { class: 'preview-buttons' }, deviceButton('mic', store, local, cleanup), deviceButton('camera', store, local, cleanup)));
  }
  cleanup.add(
    store.subscribe((s) => s.media, (media) => {
      frame.dataset.camera = media.camera;
      showTrack(video, local.tracks.get('camera') ?? null);
      words.textContent = previewWords(media, store.get().options.nomedia);
      problems.replaceChildren(...problemLines(media));
    }),
  );
  cleanup.add(() => (video.srcObject = null));
  return h('section', { class: 'preview-column' }, frame, problems);
}

/** @param {MediaView} media @param {boolean} nomedia */
function previewWords(media, nomedia) {
  if (nomedia) return strings.lobby.noDevices;
  if (media.pending) return strings.lobby.asking;
  return media.camera === 'on' ? '' : strings.lobby.cameraOff;
}

/** What is wrong with the devices, each thing said once. @param {MediaView} media */
function problemLines(media) {
  const { mic, camera } = media.problems;
  const lines = new Set([...(camera ? [strings.media[camera].camera] : []), ...(mic ? [strings.media[mic].mic] : [])]);
  return [...lines].map((line) => h('p', { class: 'problem' }, icon('warning'), h('span', {}, `${line} ${strings.media.goesOn}`)));
}

/** @param {HTMLVideoElement} video @param {MediaStreamTrack|null} track */
export function showTrack(video, track) {
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] ?? null : null;
  if (shown !== track) video.srcObject = track && new MediaStream([track]);
}
