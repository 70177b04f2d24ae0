/**
 * Bounds what one peer can make us read. Messages and their bytes are paid from two buckets that fill
 * with time; what cannot be paid is dropped. Who goes on for longer than a burst explains is cut off.
 * Pure: the time comes in.
 * @module
 */

/** A late joiner may be handed the chat so far in one go: that must fit. */
const MESSAGES = { burst: 400, perSecond: 60 };
const BYTES = { burst: 4 * 1024 * 1024, perSecond: 256 * 1024 };
/** Dropping for this long without a pause of `CALM_MS` is a flood; a shorter pause may be our own machine's. */
const FLOOD_MS = 5000;
const CALM_MS = 4000;

/** @typedef {'take'|'drop'|'cut'} Verdict */

export class Gate {
  #messages = MESSAGES.burst;
  #bytes = BYTES.burst;
  #at = 0;
  #floodSince = 0;
  #droppedAt = -Infinity;

  /** @param {number} now in milliseconds @param {number} bytes @returns {Verdict} */
  admit(now, bytes) {
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#messages = Math.min(MESSAGES.burst, this.#messages + seconds * MESSAGES.perSecond);
    this.#bytes = Math.min(BYTES.burst, this.#bytes + seconds * BYTES.perSecond);
    if (this.#messages >= 1 && this.#bytes >= bytes) {
      this.#messages -= 1;
      this.#bytes -= bytes;
      return 'take';
    }
    if (now - this.#droppedAt > CALM_MS) this.#floodSince = now;
    this.#droppedAt = now;
    return now - this.#floodSince > FLOOD_MS ? 'cut' : 'drop';
  }
}
