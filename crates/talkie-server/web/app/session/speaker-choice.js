/**
 * Who speaks, from how loud everybody is. Pure.
 *
 * A ring is drawn around whoever is louder than a threshold, and for a moment longer, so that it does
 * not flicker between syllables. The active speaker changes only when somebody else has been clearly
 * louder for a while, so that a cough does not take the stage, and stays while nobody speaks.
 * @module
 */

/** Of full scale: speech lies far above, a quiet room below (0.01 is −40 dBov). */
const AUDIBLE = 0.01;
const RING_HOLDS_MS = 600;
/** How much of a level is taken over at once; rising fast, falling slowly. */
const RISE = 0.6;
const FALL = 0.25;
/** Somebody takes the stage after so long, or sooner from who has been silent for a while. */
const TAKES_OVER_MS = 1200;
const TAKES_OVER_FROM_SILENCE_MS = 400;
const CLEARLY_LOUDER = 1.5;

export class SpeakerChoice {
  /** @type {Map<string, {level: number, heardAt: number, since: number}>} */ #voices = new Map();
  /** @type {string|null} */ speaker = null;

  /**
   * @param {ReadonlyMap<string, number>} levels 0 to 1 by peer; who is missing has gone
   * @param {number} now in milliseconds
   * @returns {{speaking: string[], speaker: string|null}}
   */
  observe(levels, now) {
    for (const key of [...this.#voices.keys()]) if (!levels.has(key)) this.#voices.delete(key);
    for (const [key, level] of levels) this.#hear(key, level, now);
    if (this.speaker !== null && !levels.has(this.speaker)) this.speaker = null;
    this.#choose(now);
    const speaking = [...this.#voices].filter(([, voice]) => now - voice.heardAt < RING_HOLDS_MS).map(([key]) => key);
    return { speaking, speaker: this.speaker };
  }

  /** @param {string} key @param {number} level @param {number} now */
  #hear(key, level, now) {
    let voice = this.#voices.get(key);
    if (!voice) this.#voices.set(key, (voice = { level: 0, heardAt: -Infinity, since: Infinity }));
    voice.level += (level - voice.level) * (level > voice.level ? RISE : FALL);
    if (level < AUDIBLE) return;
    // A pause longer than the ring's begins a new turn.
    if (now - voice.heardAt > RING_HOLDS_MS) voice.since = now;
    voice.heardAt = now;
  }

  /** @param {number} now */
  #choose(now) {
    const current = this.speaker === null ? undefined : this.#voices.get(this.speaker);
    const silent = !current || now - current.heardAt > RING_HOLDS_MS;
    const floor = silent ? 0 : (current?.level ?? 0) * CLEARLY_LOUDER;
    const patience = silent ? (current ? TAKES_OVER_FROM_SILENCE_MS : 0) : TAKES_OVER_MS;
    let loudest = floor;
    for (const [key, voice] of this.#voices) {
      if (key === this.speaker || now - voice.heardAt > RING_HOLDS_MS || now - voice.since < patience) continue;
      if (voice.level <= loudest) continue;
      loudest = voice.level;
      this.speaker = key;
    }
  }
}
