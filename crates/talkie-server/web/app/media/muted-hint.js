/**
 * Tells people who talk while they are muted that nobody hears them, at most once a minute. Listens only
 * while the microphone is muted; the sound goes nowhere but into a level.
 * @module
 */
import { toast } from '../state.js';
import { strings } from '../strings.js';
import { Level } from './level.js';

/** @import {CallContext} from '../session/feature.js' */

const LOOK_EVERY_MS = 200;
/** Nearly all the time between two looks, so that no word falls between them: 0.17 s at 48 kHz. */
const SAMPLES = 8192;
const SPOKEN_DB = -40;
/** So many looks of the last ones must be loud: a slammed door is none of them. */
const LOUD_LOOKS = 3;
const LOOKS = 10;
const AGAIN_AFTER_MS = 60_000;

/**
 * Pure: whether these levels are speech, the newest last.
 * @param {readonly number[]} levels
 */
export function spoken(levels) {
  return levels.slice(-LOOKS).filter((db) => db > SPOKEN_DB).length >= LOUD_LOOKS;
}

export class MutedHint {
  /** @type {(() => void)|null} */ #stop = null;
  #told = -Infinity;
  #unsubscribe;

  /** @param {Pick<CallContext, 'store'|'local'>} context */
  constructor({ store, local }) {
    this.store = store;
    this.local = local;
    this.#unsubscribe = store.subscribe((s) => s.media.mic === 'off', (muted) => {
      this.#stop?.();
      this.#stop = muted ? this.#listen() : null;
    });
  }

  close() {
    this.#unsubscribe();
    this.#stop?.();
    this.#stop = null;
  }

  #listen() {
    const level = new Level(SAMPLES);
    const stopListening = this.local.listen((copy) => level.use(copy));
    /** @type {number[]} */
    let levels = [];
    const timer = setInterval(() => {
      levels = [...levels.slice(1 - LOOKS), level.now];
      if (!spoken(levels) || performance.now() - this.#told < AGAIN_AFTER_MS) return;
      this.#told = performance.now();
      toast(this.store, 'info', strings.media.youAreMuted);
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
      stopListening();
      level.close();
    };
  }
}
