/**
 * In front of the room: connects to the server while somebody still looks into the mirror, asks whether
 * the key fits, who is in and whether it is locked. Whoever enters takes the connection along.
 * @module
 */
import { loadCrypto } from '../trust/crypto.js';
import { RoomKeys } from '../trust/room-keys.js';
import { readInvitation } from './invitation.js';
import { Signaling, signalUrl } from './signaling.js';

/** @import {AppStore} from '../state.js' */
/** @import {DoorView} from '../types.js' */
/** @import {ServerMessage} from './signaling.js' */

const PEEK_EVERY_MS = 4000;

const KEY_PROBLEMS = new Set(['wrong-key', 'missing-key']);

/** @type {DoorView} */
export const SHUT = { key: null, people: 0, locked: false, problem: null };

export class Door {
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;
  /** @type {Promise<string|undefined>} */ #check;
  /** Of the session that is open. @type {ServerMessage|null} */ welcome = null;

  /** @param {AppStore} store */
  constructor(store) {
    this.store = store;
    const { room, key } = store.get();
    this.#check = key === null ? Promise.resolve(undefined) : loadCrypto().then((crypto) => new RoomKeys(crypto, room, key).check());
    this.signaling = new Signaling(signalUrl(), {
      session: (welcome) => this.#open(welcome),
      message: (message) => this.#message(message),
      status: () => {},
      ended: (code) => this.#show({ problem: code }),
    });
  }

  start() {
    this.store.set({ door: SHUT });
    // What cannot be a key need not be asked about.
    if (this.store.get().brokenKey) return this.store.set({ notice: 'broken-key' });
    this.signaling.start();
    this.#timer = setInterval(() => void this.peek(), PEEK_EVERY_MS);
  }

  /** Somebody enters: what is open is theirs from here on. */
  handOver() {
    clearInterval(this.#timer);
    const { status } = this.signaling;
    const signaling = status === 'ended' ? new Signaling(signalUrl()) : this.signaling;
    return { signaling, welcome: status === 'open' ? this.welcome : null };
  }

  close() {
    clearInterval(this.#timer);
    this.signaling.close();
  }

  async peek() {
    if (document.visibilityState !== 'visible' || this.signaling.status !== 'open') return;
    const check = await this.#check;
    const { room } = this.store.get();
    if (this.store.get().view === 'lobby') this.signaling.send('peek', { room, check });
  }

  /** @param {ServerMessage} welcome */
  #open(welcome) {
    this.welcome = welcome;
    this.store.set({ invitation: readInvitation(welcome) });
    void this.peek();
  }

  /** @param {ServerMessage} message */
  #message(message) {
    if (message.type === 'ice-servers' && this.welcome) this.welcome = { ...this.welcome, iceServers: message.iceServers };
    if (message.type === 'draining') this.store.set({ draining: true });
    if (message.type !== 'peeked') return;
    const key = message.key === 'new' || message.key === 'match' || message.key === 'mismatch' ? message.key : null;
    const people = Number.isSafeInteger(message.people) ? Math.max(0, /** @type {number} */ (message.people)) : 0;
    this.#show({ key, people, locked: message.locked === true, problem: null });
  }

  /** @param {Partial<DoorView>} patch */
  #show(patch) {
    const state = this.store.get();
    const door = { ...(state.door ?? SHUT), ...patch };
    const problem = door.problem ?? (door.key === 'mismatch' ? (state.key === null ? 'missing-key' : 'wrong-key') : null);
    // What kept us out before stays to be read, unless it is a key that fits by now.
    const notice = problem ?? (KEY_PROBLEMS.has(state.notice ?? '') ? null : state.notice);
    this.store.set({ door, notice });
  }
}
