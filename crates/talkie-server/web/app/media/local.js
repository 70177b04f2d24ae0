/**
 * What we send: the local tracks, on and off, and who wants to know when one is replaced. Muting the
 * microphone disables its track, because it has to be back at once; switching the camera off stops it,
 * so that its light goes out, and switching it on opens it anew. Another device takes the place of the
 * one in use without a renegotiation: listeners are handed its track.
 * @module
 */
import { prefer, preferences } from '../preferences.js';
import { CHOSEN, PROCESSING, processedAsWished, processingOf } from './constraints.js';
import { acquire, problemOf } from './devices.js';
import { refreshDevices } from './device-list.js';
import { Microphone } from './microphone.js';
import { Recovery } from './recovery.js';
import { captureScreen } from './screen.js';

/** @import {MediaProblem, MediaView, Slot, Toast} from '../types.js' */
/** @import {Device} from './devices.js' */
/** @typedef {(slot: Slot, track: MediaStreamTrack|null) => void} TrackListener */

export class LocalMedia {
  /** @type {Map<Slot, MediaStreamTrack>} what goes out */ tracks = new Map();
  /** @type {Set<TrackListener>} */ #listeners = new Set();
  /** @type {MediaView} */ #view = { mic: 'none', camera: 'none', screen: false, pending: false, problems: {}, micId: '', cameraId: '' };
  #closed = false;
  #opening = 0;
  /** Counts what makes a device that is still being opened unwanted. */
  #turn = { mic: 0, camera: 0 };
  #held = false;
  /** @type {MediaStreamTrack|null} */ #camera = null;
  #microphone = new Microphone((track) => this.#send('mic', track));
  #processed = Promise.resolve();
  #recovery;
  #stopFollowing;

  /**
   * @param {(view: MediaView) => void} changed
   * @param {(kind: Toast['kind'], text: string) => void} [tell] what happens to a device by itself, in words
   */
  constructor(changed, tell = () => {}) {
    this.changed = changed;
    this.#recovery = new Recovery(this, tell);
    let first = true;
    this.#stopFollowing = preferences.subscribe((p) => PROCESSING.map((name) => p[name]).join(), () => {
      // One after the other: each finds the microphone as the one before left it.
      if (!first) this.#processed = this.#processed.then(() => this.#processAsWished());
      first = false;
    });
  }

  get view() {
    return this.#view;
  }

  /** @param {TrackListener} listener @returns {() => void} */
  onTrack(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Device} device @returns {MediaStreamTrack|null} the device's own track, before any effect */
  captured(device) {
    return device === 'mic' ? this.#microphone.raw : this.#camera;
  }

  /** @param {(copy: MediaStreamTrack|null) => void} listener see Microphone.listen @returns {() => void} */
  listen(listener) {
    return this.#microphone.listen(listener);
  }

  /** Opens what the person wants to have on at first. */
  start() {
    const { joinMuted, joinWithoutCamera } = preferences.get();
    this.#microphone.on = !joinMuted;
    if (joinWithoutCamera) this.#patch({ camera: 'off' });
    return this.open(joinWithoutCamera ? ['mic'] : ['mic', 'camera']);
  }

  /** @param {Device[]} devices @param {string} [only] see constraintsFor */
  async open(devices, only) {
    this.#opening += 1;
    this.#patch({ pending: true });
    const turns = devices.map((device) => this.#turn[device]);
    const { tracks, problems } = await acquire(devices, only);
    this.#opening -= 1;
    void refreshDevices();
    devices.forEach((device, at) => {
      const track = tracks[device];
      if (track && (this.#closed || this.#turn[device] !== turns[at])) track.stop();
      else if (track) this.#take(device, track);
    });
    const kept = { ...this.#view.problems };
    for (const device of devices) delete kept[device];
    this.#patch({ pending: this.#opening > 0, problems: { ...kept, ...problems } });
  }

  /** @param {boolean} on */
  setMic(on) {
    this.#held = false;
    return this.#switchMic(on);
  }

  /** Push to talk: the microphone is on while held, and afterwards as it was. @param {boolean} on */
  async hold(on) {
    if (on === this.#held || (on && this.#view.mic === 'on')) return;
    this.#held = on;
    await this.#switchMic(on);
  }

  /** @param {boolean} on */
  async #switchMic(on) {
    this.#microphone.on = on;
    if (!this.#microphone.raw) return on ? this.open(['mic']) : undefined;
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

  /**
   * Somebody picked another device: it is taken at once if its kind is in use, else when it is switched on.
   * @param {Device} device
   * @param {string} id '' is the browser's default
   * @returns {Promise<MediaProblem|null>} why it stays with the former one
   */
  async choose(device, id) {
    const before = preferences.get()[CHOSEN[device]];
    prefer({ [CHOSEN[device]]: id });
    this.#recovery.forget(device);
    const missed = this.#view.problems[device] !== undefined;
    if (!this.captured(device)) return missed ? (await this.open([device], id), this.#view.problems[device] ?? null) : null;
    const problem = await this.change(device, id);
    if (problem) prefer({ [CHOSEN[device]]: before });
    return problem;
  }

  /**
   * Another track in the place of the one in use.
   * @param {Device} device
   * @param {string} only the id of the device, '' for any
   * @param {boolean} [anew] give back the one in use first
   * @returns {Promise<MediaProblem|null>}
   */
  async change(device, only, anew = false) {
    const turn = this.#turn[device];
    if (anew) this.#release(device);
    let { tracks, problems } = await acquire([device], only);
    if (problems[device] === 'busy' && this.captured(device)) {
      // Phones have one camera at a time, and some browsers one microphone: the former goes first.
      this.#release(device);
      ({ tracks, problems } = await acquire([device], only));
      if (!tracks[device]) tracks = (await acquire([device])).tracks;
    }
    const track = tracks[device];
    if (track && (this.#closed || this.#turn[device] !== turn)) track.stop();
    else if (track) this.#take(device, track);
    else if (!this.captured(device)) this.#patch({ [device]: 'none', problems: { ...this.#view.problems, ...problems } });
    void refreshDevices();
    return problems[device] ?? null;
  }

  /** @returns {Promise<MediaProblem|null>} what kept us from sharing */
  async startScreen() {
    try {
      const { screen, screenAudio } = await captureScreen();
      if (this.#closed) {
        screen.stop();
        screenAudio?.stop();
        return null;
      }
      this.stopScreen();
      // "Stop sharing" in the browser's own bar.
      screen.onended = () => this.tracks.get('screen') === screen && this.stopScreen();
      this.#send('screen', screen);
      if (screenAudio) this.#send('screenAudio', screenAudio);
      this.#patch({ screen: true });
      return null;
    } catch (error) {
      return problemOf(error);
    }
  }

  stopScreen() {
    for (const slot of /** @type {const} */ (['screen', 'screenAudio'])) {
      this.tracks.get(slot)?.stop();
      this.#send(slot, null);
    }
    this.#patch({ screen: false });
  }

  /** Gives the devices back, also those that are still being opened. */
  giveBack() {
    for (const device of /** @type {const} */ (['mic', 'camera'])) this.#drop(device);
    this.#patch({ mic: 'none', camera: 'off', problems: {} });
  }

  close() {
    this.#closed = true;
    this.#stopFollowing();
    this.#recovery.close();
    this.stopScreen();
    this.#drop('camera');
    this.#microphone.close();
    this.#patch({ mic: 'none', camera: 'none' });
  }

  /** @param {Device} device @param {MediaStreamTrack} track */
  #take(device, track) {
    track.onended = () => this.lost(device, track);
    const id = track.getSettings().deviceId ?? '';
    const { [device]: _, ...problems } = this.#view.problems;
    if (device === 'mic') {
      this.#microphone.use(track);
      return this.#patch({ mic: this.#microphone.on ? 'on' : 'off', micId: id, problems });
    }
    const before = this.#camera;
    this.#camera = track;
    this.#send('camera', track);
    before?.stop();
    return this.#patch({ camera: 'on', cameraId: id, problems });
  }

  /** The device behind a track is gone. @param {Device} device @param {MediaStreamTrack} track */
  lost(device, track) {
    if (this.#closed || this.captured(device) !== track) return;
    this.#drop(device);
    this.#patch({ [device]: 'none', problems: { ...this.#view.problems, [device]: 'missing' } });
    void this.#recovery.lost(device, track);
  }

  /** @param {Device} device */
  #drop(device) {
    this.#turn[device] += 1;
    this.#release(device);
  }

  /** @param {Device} device */
  #release(device) {
    const track = this.captured(device);
    if (track) track.onended = null;
    if (device === 'mic') return this.#microphone.use(null);
    track?.stop();
    this.#camera = null;
    return this.#send('camera', null);
  }

  /** Echo cancellation and the like, of the track that is there or, where a browser can't, of a new one. */
  async #processAsWished() {
    const raw = this.#microphone.raw;
    if (!raw) return;
    const wishes = preferences.get();
    await raw.applyConstraints(processingOf(wishes)).catch(() => {});
    if (this.#microphone.raw !== raw || processedAsWished(raw.getSettings(), wishes)) return;
    // Chromium: who asks for a device that is open is given it as it is.
    await this.change('mic', this.#view.micId, true);
  }

  /** @param {Slot} slot @param {MediaStreamTrack|null} track */
  #send(slot, track) {
    if ((this.tracks.get(slot) ?? null) === track) return;
    if (track) this.tracks.set(slot, track);
    else this.tracks.delete(slot);
    for (const listener of this.#listeners) listener(slot, track);
  }

  /** @param {Partial<MediaView>} patch */
  #patch(patch) {
    this.#view = { ...this.#view, ...patch };
    this.changed(this.#view);
  }
}
