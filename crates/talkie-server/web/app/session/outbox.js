/**
 * What we have said and the server has not acknowledged (docs/signaling.md, "Reliable delivery").
 * Messages get their `seq` here; a cursor marks how far the present socket has been told, so that
 * resuming is moving the cursor back.
 *
 * A message that the server refuses for haste is lost, and the ones behind it arrive: a sealed payload would
 * be missed (docs/signaling.md). So we stay below the server's rate however the network delays and bunches
 * what we send: its token bucket is followed as if all that is not acknowledged arrived at this moment, and
 * the rest when we heard of it. No sockets, no clock of its own.
 * @module
 */

/** @typedef {{seq: number, body: Record<string, unknown>}} Sealed */

export class Outbox {
  /** @type {Sealed[]} */
  #unacknowledged = [];
  #lastSeq = 0;
  #acknowledged = 0;
  #cursor = 1;

  /** Acknowledgements and pings count against the server's limit too: leave them some room. */
  #perSecond = 40;
  #burst = 150;
  /** What those that arrived still take of the burst, at that time. */
  #spent = 0;
  #spentAt = 0;

  /** @param {number} limit how many unacknowledged messages to hold */
  constructor(limit = 512) {
    this.limit = limit;
  }

  /**
   * @param {Record<string, unknown>} body
   * @returns {number|null} the message's seq; null when too much is waiting already
   */
  push(body) {
    if (this.#unacknowledged.length >= this.limit) return null;
    const seq = ++this.#lastSeq;
    this.#unacknowledged.push({ seq, body });
    return seq;
  }

  /** @param {unknown} ack highest seq that the server has @param {number} now in milliseconds */
  acknowledge(ack, now) {
    if (!Number.isSafeInteger(ack)) return;
    const upTo = /** @type {number} */ (ack);
    if (upTo <= this.#acknowledged || upTo > this.#lastSeq) return;
    this.#spent = this.#left(now) + upTo - this.#acknowledged;
    this.#acknowledged = upTo;
    this.#unacknowledged = this.#unacknowledged.filter((m) => m.seq > upTo);
    this.#cursor = Math.max(this.#cursor, upTo + 1);
  }

  /** A new socket took the session up: everything unacknowledged has to be said again. */
  rewind() {
    this.#cursor = this.#acknowledged + 1;
  }

  /** A new session begins: what was for the old one means nothing there. */
  reset() {
    this.#unacknowledged = [];
    this.#lastSeq = 0;
    this.#acknowledged = 0;
    this.#cursor = 1;
    this.#spent = 0;
  }

  /** @param {{messagesPerSecond?: number, burst?: number}|undefined} limits as `welcome` has them */
  pace(limits) {
    if (limits?.messagesPerSecond) this.#perSecond = Math.max(1, limits.messagesPerSecond * 0.8);
    if (limits?.burst) this.#burst = Math.max(1, limits.burst * 0.75);
  }

  /**
   * The next message that may be sent now; null when there is none, or none before an acknowledgement. When
   * it is only too early, how long to wait.
   * @param {number} now in milliseconds
   * @returns {Sealed|{wait: number}|null}
   */
  next(now) {
    const message = this.#unacknowledged[this.#cursor - this.#acknowledged - 1];
    if (!message) return null;
    const underWay = this.#cursor - this.#acknowledged - 1;
    const spent = this.#left(now);
    const over = spent + underWay + 1 - this.#burst;
    if (over > spent) return null;
    if (over > 0) return { wait: Math.ceil((over / this.#perSecond) * 1000) };
    this.#cursor += 1;
    return message;
  }

  /** What has not flown off by now. @param {number} now */
  #left(now) {
    const gone = (Math.max(0, now - this.#spentAt) / 1000) * this.#perSecond;
    this.#spent = Math.max(0, this.#spent - gone);
    this.#spentAt = now;
    return this.#spent;
  }

  /** All that this socket has not been told, whatever the pace: the page is closing. */
  rest() {
    return this.#unacknowledged.slice(this.#cursor - this.#acknowledged - 1);
  }
}
