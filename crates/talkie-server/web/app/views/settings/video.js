/**
 * Settings, Video: the camera and how it looks. When the camera is off, it can be looked at here without
 * anybody else seeing it.
 * @module
 */
import { acquire } from '../../media/devices.js';
import { prefer, preferences } from '../../preferences.js';
import { toast } from '../../state.js';
import { problemWords } from '../../media/problem-words.js';
import { section } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { switchField } from '../../ui/fields.js';
import { devicePicker } from './pickers.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {MakeTab} from './settings.js' */

const words = await section('settings');

/** @type {MakeTab} */
export function videoTab(app, cleanup) {
  return h('div', { class: 'settings-tab' }, devicePicker('camera', app, cleanup), preview(app, cleanup), blurSwitch(app, cleanup));
}

/** @param {{store: AppStore, local: LocalMedia}} app @param {Cleanup} cleanup */
function preview({ store, local }, cleanup) {
  const video = h('video', { autoplay: true, playsinline: true, 'aria-label': words.preview, data: { testid: 'settings-preview' } });
  video.muted = true;
  /** The camera while only we look at it. @type {MediaStreamTrack|null} */
  let own = null;
  let gone = false;
  const show = h('button', { type: 'button', class: 'button', data: { testid: 'settings-show' }, on: { click: () => void look() } }, words.showPreview);
  const off = h('div', { class: 'preview-off' }, h('p', {}, words.previewOff), show);
  const frame = h('div', { class: 'preview', data: { camera: 'off' } }, video, off);
  const draw = () => {
    const sent = local.captured('camera');
    if (sent) own = (own?.stop(), null);
    const track = sent ?? own;
    const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : undefined;
    if (shown !== track) video.srcObject = track && new MediaStream([track]);
    frame.dataset.camera = track ? 'on' : 'off';
    off.hidden = track !== null;
  };
  const look = async () => {
    own?.stop();
    const { tracks, problems } = await acquire(['camera']);
    if (problems.camera) toast(store, 'bad', problemWords(problems.camera, 'camera'));
    own = tracks.camera ?? null;
    if (gone) own?.stop();
    else draw();
  };
  cleanup.add(store.subscribe((s) => s.media, draw));
  cleanup.add(preferences.subscribe((p) => p.cameraId, () => own && void look()));
  cleanup.add(() => {
    gone = true;
    own?.stop();
    video.srcObject = null;
  });
  return frame;
}

/** There only where the camera that is on can do it. @param {{store: AppStore, local: LocalMedia}} app @param {Cleanup} cleanup */
function blurSwitch({ store, local }, cleanup) {
  const field = switchField({
    label: words.backgroundBlur, hint: words.blurHint, testid: 'background-blur', on: preferences.get().backgroundBlur,
    change: (on) => {
      prefer({ backgroundBlur: on });
      const track = local.captured('camera');
      const constraints = /** @type {MediaTrackConstraints} */ ({ ...track?.getConstraints(), backgroundBlur: on });
      void track?.applyConstraints(constraints).catch((error) => console.warn('talkie: no blur', error));
    },
  });
  cleanup.add(store.subscribe((s) => s.media.camera + s.media.cameraId, () => (field.hidden = !offersBlur(local.captured('camera')))));
  return field;
}

/** @param {MediaStreamTrack|null} track */
function offersBlur(track) {
  const offered = /** @type {any} */ (track?.getCapabilities?.())?.backgroundBlur;
  return Array.isArray(offered) && offered.includes(true) && offered.includes(false);
}
