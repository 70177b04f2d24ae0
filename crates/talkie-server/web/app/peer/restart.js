/**
 * When to restart ICE. A network that changed leaves a connection `disconnected` or `failed`, or
 * connected to nothing for some seconds; a restart gathers anew and costs one offer. One side is eager:
 * the one that restarts. The other waits a little before it asks for that. Failing again and again, it
 * tries more and more seldom, but goes on as long as the peer is in the room. A restart that the other
 * side has answered gets time for its checks: another one would only throw them away.
 * @module
 */

const EAGER_MS = 1500;
const PATIENT_MS = 4000;
/** ICE needs up to this long for a first connection through a slow relay. */
const FIRST_CONNECT_MS = 15_000;
/** How long the checks of a restart may take: a few round trips, much more on machines that are too busy. */
const CHECKS_MS = 6000;
const BACKOFF_MAX_MS = 20_000;
const AGAIN_MS = 1000;
/** After this many restarts in vain the page says so. */
const GIVE_UP_SAYING = 4;

export class RestartPolicy {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #attempts = 0;
  #healthy = false;
  #wasHealthy = false;
  #stopped = false;
  #askedAt = -Infinity;

  /** @param {{eager: boolean, restart: () => boolean, gaveUp: () => void, attempts?: number}} options `restart` returns whether it could; `attempts` in vain so far */
  constructor({ eager, restart, gaveUp, attempts = 0 }) {
    this.#attempts = attempts;
    this.first = eager ? EAGER_MS : PATIENT_MS;
    this.restart = restart;
    this.gaveUp = gaveUp;
  }

  /** How many were in vain. */
  get attempts() {
    return this.#attempts;
  }

  /** The first attempt to connect begins. */
  begin() {
    this.#schedule(FIRST_CONNECT_MS);
  }

  /** @param {RTCPeerConnectionState} connection @param {RTCIceConnectionState} ice */
  observe(connection, ice) {
    if (connection === 'connected') {
      this.#healthy = this.#wasHealthy = true;
      this.#attempts = 0;
      this.#cancel();
    } else if (connection === 'failed' || ice === 'failed') {
      // The first failure is acted upon at once; after that the timer of the last attempt decides.
      if (this.#attempts === 0) this.#cancel();
      this.#unhealthy(this.first / 3);
    } else if (connection === 'disconnected' || ice === 'disconnected') {
      this.#unhealthy(this.first);
    }
  }

  /** Both sides know each other's credentials: from now on it is up to ICE. */
  settled() {
    if (this.#healthy || this.#stopped || this.#timer === undefined) return;
    this.#cancel();
    this.#schedule(this.#wasHealthy ? Math.max(CHECKS_MS, this.#backoff()) : FIRST_CONNECT_MS);
  }

  /** The network changed or signaling is back: if anything is amiss, don't wait. */
  poke() {
    if (this.#healthy || this.#stopped || this.#timer === undefined) return;
    this.#cancel();
    this.#schedule(this.first / 3);
  }

  /** The machine changed networks: the present pair is probably dead even if it doesn't know yet. */
  networkChanged() {
    if (this.#stopped) return;
    this.#cancel();
    this.#schedule(this.first / 3);
  }

  /** The other side asks: at most as often as a second allows, whatever it sends. */
  asked() {
    const now = performance.now();
    if (this.#stopped || now - this.#askedAt < 1000) return;
    this.#askedAt = now;
    if (this.restart()) this.#attempts += 1;
  }

  stop() {
    this.#stopped = true;
    this.#cancel();
  }

  /** @param {number} delay */
  #unhealthy(delay) {
    this.#healthy = false;
    if (this.#timer === undefined) this.#schedule(delay);
  }

  #backoff() {
    return Math.min(BACKOFF_MAX_MS, this.first * 2 ** this.#attempts);
  }

  /** @param {number} delay */
  #schedule(delay) {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#fire(), delay);
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire() {
    this.#timer = undefined;
    const done = this.restart();
    if (done) this.#attempts += 1;
    if (this.#attempts > GIVE_UP_SAYING) this.gaveUp();
    if (!this.#healthy) this.#schedule(Math.max(2000, this.#backoff()));
    // The network changed, and the way to say so is not back yet.
    else if (!done) this.#schedule(AGAIN_MS);
  }
}
