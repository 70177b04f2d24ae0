/**
 * What we send: the local tracks, on and off, and who wants to know when one is replaced. Muting the
 * microphone disables its track, because it has to be back at once; switching the camera off stops it,
 * so that its light goes out, and switching it on opens it anew.
 * @module
 */
import { acquire, problemOf } from './devices.js';
import { captureScreen } from './screen.js';

/** @import {MediaView, Slot} from '../types.js' */
/** @import {Device} from './devices.js' */
/** @typedef {(slot: Slot, track: MediaStreamTrack|null) => void} TrackListener */

export class LocalMedia {
  /** @type {Map<Slot, MediaStreamTrack>} */ tracks = new Map();
  /** @type {Set<TrackListener>} */ #listeners = new Set();
  /** @type {MediaView} */ #view = { mic: 'none', camera: 'none', screen: false, pending: false, problems: {} };
  #closed = false;
  #opening = 0;

  /** @param {(view: MediaView) => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  get view() {
    return this.#view;
  }

  /** @param {TrackListener} listener @returns {() => void} */
  onTrack(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Device[]} devices */
  async open(devices) {
    this.#opening += 1;
    this.#patch({ pending: true });
    const { tracks, problems } = await acquire(devices);
    this.#opening -= 1;
    for (const device of devices) {
      const track = tracks[device];
      if (track && this.#closed) track.stop();
      else if (track) this.#put(device, track);
    }
    const kept = { ...this.#view.problems };
    for (const device of devices) delete kept[device];
    this.#patch({ pending: this.#opening > 0, problems: { ...kept, ...problems } });
  }

  /** @param {boolean} on */
  async setMic(on) {
    const track = this.tracks.get('mic');
    if (!track) return on ? this.open(['mic']) : undefined;
    track.enabled = on;
    this.#patch({ mic: on ? 'on' : 'off' });
    return undefined;
  }

  /** @param {boolean} on */
  async setCamera(on) {
    if (on) return this.#view.pending ? undefined : this.open(['camera']);
    this.#drop('camera');
    this.#patch({ camera: this.#view.camera === 'none' ? 'none' : 'off' });
    return undefined;
  }

  /** @returns {Promise<import('../types.js').MediaProblem|null>} what kept us from sharing */
  async startScreen() {
    try {
      const { screen, screenAudio } = await captureScreen();
      if (this.#closed) {
        screen.stop();
        screenAudio?.stop();
        return null;
      }
      this.#put('screen', screen);
      if (screenAudio) this.#put('screenAudio', screenAudio);
      this.#patch({ screen: true });
      return null;
    } catch (error) {
      return problemOf(error);
    }
  }

  stopScreen() {
    this.#drop('screen');
    this.#drop('screenAudio');
    this.#patch({ screen: false });
  }

  close() {
    this.#closed = true;
    for (const slot of [...this.tracks.keys()]) this.#drop(slot);
    this.#patch({ mic: 'none', camera: 'none', screen: false });
  }

  /** @param {Slot} slot @param {MediaStreamTrack} track */
  #put(slot, track) {
    this.tracks.get(slot)?.stop();
    this.tracks.set(slot, track);
    // Unplugged, or "stop sharing" in the browser's own bar.
    track.onended = () => this.#ended(slot, track);
    if (slot === 'mic') this.#patch({ mic: 'on' });
    if (slot === 'camera') this.#patch({ camera: 'on' });
    this.#tell(slot, track);
  }

  /** @param {Slot} slot @param {MediaStreamTrack} track */
  #ended(slot, track) {
    if (this.tracks.get(slot) !== track) return;
    if (slot === 'screen') return this.stopScreen();
    this.#drop(slot);
    if (slot === 'mic' || slot === 'camera') {
      this.#patch({ [slot]: 'none', problems: { ...this.#view.problems, [slot]: 'missing' } });
    }
  }

  /** @param {Slot} slot */
  #drop(slot) {
    const track = this.tracks.get(slot);
    if (!track) return;
    track.onended = null;
    track.stop();
    this.tracks.delete(slot);
    this.#tell(slot, null);
  }

  /** @param {Slot} slot @param {MediaStreamTrack|null} track */
  #tell(slot, track) {
    for (const listener of this.#listeners) listener(slot, track);
  }

  /** @param {Partial<MediaView>} patch */
  #patch(patch) {
    this.#view = { ...this.#view, ...patch };
    this.changed(this.#view);
  }
}
