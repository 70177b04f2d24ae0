/**
 * The microphone: what the device gives, and what of it goes out. With effects on, a second track goes
 * out in its place; muting disables both. Who wants to know how loud the person is listens to a copy,
 * which hears them even while they are muted.
 * @module
 */
import { preferences } from '../preferences.js';

/** @import {MicEffects} from './effects.js' */

export class Microphone {
  /** @type {MediaStreamTrack|null} */ raw = null;
  /** @type {MediaStreamTrack|null} */ #outgoing = null;
  /** @type {MicEffects|null} */ #effects = null;
  /** @type {Map<(copy: MediaStreamTrack|null) => void, MediaStreamTrack|null>} */ #listeners = new Map();
  #on = true;
  #loading = false;
  #stopFollowing;

  /** @param {(track: MediaStreamTrack|null) => void} outgoingChanged */
  constructor(outgoingChanged) {
    this.outgoingChanged = outgoingChanged;
    this.#stopFollowing = preferences.subscribe((p) => p.effects, () => this.#arrange());
  }

  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    for (const track of [this.raw, this.#outgoing]) if (track) track.enabled = on;
  }

  /** @param {MediaStreamTrack|null} raw null: the device is gone, or given back */
  use(raw) {
    const before = this.raw;
    this.raw = raw;
    if (raw) raw.enabled = this.#on;
    this.#arrange();
    for (const listener of this.#listeners.keys()) this.#copyFor(listener);
    before?.stop();
  }

  /**
   * @param {(copy: MediaStreamTrack|null) => void} listener is handed a copy at once, and another one when the device changes
   * @returns {() => void}
   */
  listen(listener) {
    this.#listeners.set(listener, null);
    this.#copyFor(listener);
    return () => {
      this.#listeners.get(listener)?.stop();
      this.#listeners.delete(listener);
    };
  }

  close() {
    this.#stopFollowing();
    this.use(null);
    this.#listeners.clear();
  }

  /** @param {(copy: MediaStreamTrack|null) => void} listener */
  #copyFor(listener) {
    const before = this.#listeners.get(listener);
    const copy = this.raw?.clone() ?? null;
    if (copy) copy.enabled = true;
    this.#listeners.set(listener, copy);
    listener(copy);
    before?.stop();
  }

  /** Brings what goes out in line with what there is and what is wanted. */
  #arrange() {
    const wanted = this.raw !== null && preferences.get().effects;
    if (wanted && !this.#effects) void this.#load();
    if (!wanted && this.#effects) {
      const ending = this.#effects;
      this.#effects = null;
      this.#choose();
      ending.close();
    }
    if (this.raw) this.#effects?.use(this.raw);
    this.#choose();
  }

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { MicEffects } = await import('./effects.js');
      if (!this.raw || !preferences.get().effects) return;
      this.#effects = new MicEffects(() => this.#choose());
      this.#effects.use(this.raw);
      this.#choose();
    } catch (error) {
      console.warn('talkie: no effects', error);
    } finally {
      this.#loading = false;
    }
  }

  #choose() {
    const track = this.raw && this.#effects?.running ? this.#effects.track : this.raw;
    if (track === this.#outgoing) return;
    this.#outgoing = track;
    if (track) track.enabled = this.#on;
    this.outgoingChanged(track);
  }
}
