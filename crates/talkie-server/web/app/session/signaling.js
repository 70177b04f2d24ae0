/**
 * The WebSocket to the server: opens a session, keeps it across sockets, delivers each message once
 * and in order, as docs/signaling.md has it. Whoever uses it sends and receives messages and is told
 * when a *new* session began (then the room must be joined again); a resumed one is not even noticed.
 * @module
 */
import { Outbox } from './outbox.js';

/** @import {SignalingStatus} from '../types.js' */
/** @typedef {{type: string, [field: string]: unknown}} ServerMessage */

/**
 * @typedef {object} SignalingHandlers
 * @property {(welcome: ServerMessage) => void} session a new session is open
 * @property {(message: ServerMessage) => void} message
 * @property {(status: SignalingStatus) => void} status
 * @property {(code: string) => void} ended for good, by the server's word
 */

const VERSION = 1;
const ACK_WITHIN_MS = 700;
const ANSWER_WITHIN_MS = 8000;
/** When there is reason to doubt the socket. A mistake costs no more than a resumed session. */
const AWAKE_WITHIN_MS = 3000;
const BACKOFF_MS = [150, 500, 1000, 2000, 4000, 8000];

/** @type {SignalingHandlers} */
const DEAF = { session: () => {}, message: () => {}, status: () => {}, ended: () => {} };

/** Errors after which trying again by ourselves would do harm or be in vain. */
const FINAL = new Set(['replaced', 'bad-version', 'server-full', 'too-many-sessions']);

/** @typedef {ReturnType<typeof setTimeout>} Timer */

export class Signaling {
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {{id: string, token: string}|null} */ #session = null;
  #outbox = new Outbox();
  #received = 0;
  #welcomed = false;
  #attempt = 0;
  /** @type {SignalingStatus} */ #status = 'idle';
  /** @type {Timer|undefined} */ #retryTimer;
  /** @type {Timer|undefined} */ #ackTimer;
  /** @type {Timer|undefined} */ #pumpTimer;
  /** @type {Timer|undefined} */ #pingTimer;
  /** @type {Timer|undefined} */ #deadline;

  /**
   * @param {string} url
   * @param {SignalingHandlers} [handlers]
   * @param {(url: string) => WebSocket} open for tests
   */
  constructor(url, handlers = DEAF, open = (to) => new WebSocket(to)) {
    this.url = url;
    /** Whoever takes the connection over sets its own. */
    this.handlers = handlers;
    this.open = open;
  }

  get status() {
    return this.#status;
  }

  /** The present socket, for diagnostics. */
  get socket() {
    return this.#socket;
  }

  start() {
    if (this.#status === 'idle') this.#connect();
  }

  /**
   * Sends reliably; waits for a socket when there is none.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   * @returns {number|null} the message's seq
   */
  send(type, fields = {}) {
    if (this.#status === 'ended' || this.#status === 'idle') return null;
    const seq = this.#outbox.push({ type, ...fields });
    // So much unsaid means that the session is beyond repair: a new one starts clean.
    if (seq === null) this.#abandonSession();
    else this.#pump();
    return seq;
  }

  /** Something may have become of the socket: don't wait for timers to find out. */
  wake() {
    if (this.#status === 'waiting') this.#connect();
    else if (this.#status === 'open') this.#ping(AWAKE_WITHIN_MS);
  }

  /** A socket of the former network hears nothing any more and does not know it: the session goes on over another. */
  networkChanged() {
    if (this.#status === 'idle' || this.#status === 'ended') return;
    this.#attempt = 0;
    this.#connect();
  }

  /** The page closes or the room is left. */
  close() {
    this.#sayBye();
    this.#end();
  }

  /** The session is beyond repair: another one starts clean. */
  renew() {
    if (this.#status !== 'open') return;
    this.#sayBye();
    this.#abandonSession();
  }

  /** Ends the session so that nobody waits for us. */
  #sayBye() {
    const socket = this.#socket;
    if (!socket || !this.#welcomed || socket.readyState !== WebSocket.OPEN) return;
    this.#outbox.push({ type: 'bye' });
    for (const message of this.#outbox.rest()) this.#write(message);
  }

  #end() {
    this.#dropSocket();
    this.#setStatus('ended');
  }

  /** @param {SignalingStatus} status */
  #setStatus(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.handlers.status(status);
  }

  #connect() {
    this.#dropSocket();
    this.#setStatus('connecting');
    const socket = this.open(this.url);
    this.#socket = socket;
    /** A socket that we have given up must not speak for the present one.
     * @param {() => void} act */
    const current = (act) => () => void (socket === this.#socket && act());
    socket.onopen = current(() => this.#hello());
    socket.onclose = current(() => this.#lost());
    socket.onmessage = (event) => void (socket === this.#socket && this.#receive(event.data));
    this.#deadline = setTimeout(current(() => this.#lost()), ANSWER_WITHIN_MS);
  }

  #dropSocket() {
    for (const timer of [this.#retryTimer, this.#ackTimer, this.#pumpTimer, this.#deadline]) clearTimeout(timer);
    clearInterval(this.#pingTimer);
    this.#ackTimer = this.#pumpTimer = this.#deadline = undefined;
    this.#welcomed = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #lost() {
    this.#dropSocket();
    const base = BACKOFF_MS[Math.min(this.#attempt, BACKOFF_MS.length - 1)] ?? 0;
    this.#attempt += 1;
    this.#setStatus('waiting');
    // Spread out, because a restarted server loses everybody at once.
    this.#retryTimer = setTimeout(() => this.#connect(), base * (0.7 + 0.6 * Math.random()));
  }

  #abandonSession() {
    this.#session = null;
    this.#lost();
  }

  #hello() {
    const session = this.#session;
    const resume = session && { session: session.id, token: session.token, ack: this.#received };
    this.#socket?.send(JSON.stringify({ type: 'hello', version: VERSION, ...(resume && { resume }) }));
  }

  /** @param {unknown} data */
  #receive(data) {
    const message = parse(data);
    if (!message) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (message.type === 'welcome') return this.#welcome(message);
    if (!this.#accept(message)) return;
    this.#outbox.acknowledge(message.ack, performance.now());
    this.#pump();
    if (message.type === 'ack' || message.type === 'pong') return;
    if (message.type === 'error' && message.fatal === true) return this.#fatal(String(message.code));
    this.handlers.message(message);
  }

  /**
   * Whether this message is the next one; those that we had are dropped, a gap ends the session.
   * @param {ServerMessage} message
   */
  #accept(message) {
    if (typeof message.seq !== 'number') return true;
    if (message.seq > this.#received + 1) {
      this.#abandonSession();
      return false;
    }
    // Acknowledged even when it is an old one: our last acknowledgement may have been lost.
    this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_WITHIN_MS);
    if (message.seq <= this.#received) return false;
    this.#received = message.seq;
    return true;
  }

  /** @param {ServerMessage} welcome */
  #welcome(welcome) {
    if (this.#welcomed) return;
    this.#welcomed = true;
    this.#attempt = 0;
    const resumed = welcome.resumed === true && this.#session !== null;
    this.#session = { id: String(welcome.session), token: String(welcome.token) };
    if (resumed) {
      this.#outbox.acknowledge(welcome.ack, performance.now());
      this.#outbox.rewind();
    } else {
      this.#outbox.reset();
      this.#received = 0;
    }
    this.#outbox.pace(/** @type {any} */ (welcome.limits));
    const heartbeat = typeof welcome.heartbeat === 'number' ? welcome.heartbeat : 20;
    this.#pingTimer = setInterval(() => this.#ping(), Math.max(1, heartbeat * 0.7) * 1000);
    this.#setStatus('open');
    if (!resumed) this.handlers.session(welcome);
    this.#pump();
  }

  /** @param {string} code */
  #fatal(code) {
    if (FINAL.has(code)) {
      this.#end();
      this.handlers.ended(code);
    } else if (code === 'slow-reader') {
      // Concerns the socket alone.
      this.#lost();
    } else {
      this.#abandonSession();
    }
  }

  #ping(within = ANSWER_WITHIN_MS) {
    this.#socket?.send(JSON.stringify({ type: 'ping' }));
    this.#deadline ??= setTimeout(() => this.#lost(), within);
  }

  #acknowledge() {
    this.#ackTimer = undefined;
    this.#socket?.send(JSON.stringify({ type: 'ack', ack: this.#received }));
  }

  #pump() {
    clearTimeout(this.#pumpTimer);
    while (this.#welcomed) {
      const next = this.#outbox.next(performance.now());
      if (!next) return;
      if ('wait' in next) {
        this.#pumpTimer = setTimeout(() => this.#pump(), next.wait);
        return;
      }
      this.#write(next);
    }
  }

  /** @param {{seq: number, body: Record<string, unknown>}} message */
  #write(message) {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#socket?.send(JSON.stringify({ ...message.body, seq: message.seq, ack: this.#received }));
  }
}

/** The socket of the server that this page came from. */
export function signalUrl() {
  const url = new URL('/signal', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url.href;
}

/** @param {unknown} data @returns {ServerMessage|null} */
function parse(data) {
  if (typeof data !== 'string') return null;
  try {
    const message = JSON.parse(data);
    return message && typeof message.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
