/**
 * Asks the receivers five times a second how loud what they play is, and writes who speaks into the
 * store. That is a look at numbers which the browser has anyway: no audio is processed for it.
 * @module
 */
import { SpeakerChoice } from './speaker-choice.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */

const EVERY_MS = 200;
/** A source that nothing was played from for so long is silent. */
const FRESH_MS = 500;

export class Speakers {
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;
  #choice = new SpeakerChoice();

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  connected() {
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look() {
    const { store, links } = this.context;
    const levels = new Map(links().filter((link) => link.connected).map((link) => [link.key, levelOf(link)]));
    const { speaking, speaker } = this.#choice.observe(levels, performance.now());
    const now = store.get();
    const same = speaker === now.speaker && speaking.length === now.speaking.length && speaking.every((key, at) => key === now.speaking[at]);
    if (!same) store.set({ speaking, speaker });
    if (levels.size === 0) this.close();
  }
}

/** @param {Link} link @returns {number} 0 to 1 */
function levelOf(link) {
  const receiver = link.slots.get('mic')?.receiver;
  const now = performance.timeOrigin + performance.now();
  const levels = (receiver?.getSynchronizationSources() ?? [])
    // Chromium counts from the page's start, Firefox from 1970.
    .filter(({ timestamp }) => (timestamp > 1e11 ? now : performance.now()) - timestamp < FRESH_MS)
    .map(({ audioLevel }) => audioLevel ?? 0);
  return Math.max(0, ...levels);
}
