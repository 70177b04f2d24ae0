/**
 * The lock of the room and those who knock at it. The lock is the members', not the server's: when the
 * server has forgotten it (a restart), they lock again. Somebody who was in and has to knock after that
 * says its card over the connection that it still has, and is let in by that.
 * @module
 */
import { toast } from '../state.js';
import { errorText } from '../strings.js';

/** @import {AppStore} from '../state.js' */
/** @import {Knock} from '../types.js' */
/** @import {ServerMessage} from './signaling.js' */

const KNOCKS = 16;
const ANNOUNCED = 16;

export class RoomLock {
  /** Passes the lock of this room, as long as the room lives. @type {string|null} */ pass = null;
  /** @type {Map<string, string>} the card of each who knocks, by id */ #cards = new Map();
  /** @type {Set<string>} cards of members that have to knock */ #announced = new Set();

  /** @param {AppStore} store @param {(type: string, fields: Record<string, unknown>) => unknown} send */
  constructor(store, send) {
    this.store = store;
    this.send = send;
  }

  /** @param {ServerMessage} message */
  joined({ locked, pass }) {
    const given = typeof pass === 'string' && pass.length <= 256 ? pass : null;
    const same = given !== null && given === this.pass;
    this.pass = given;
    this.#cards.clear();
    const wanted = this.store.get().locked && !same;
    this.store.set({ locked: locked === true, knocks: [] });
    if (wanted && locked !== true) this.set(true);
  }

  /** @param {boolean} locked */
  set(locked) {
    this.send('lock', { locked });
  }

  /** @param {string} id @param {boolean} admit */
  answer(id, admit) {
    this.send('answer-knock', { id, admit });
  }

  /** @param {ServerMessage} message */
  handle({ type, locked, id }) {
    if (type === 'room-locked') this.store.set({ locked: locked === true });
    if (type === 'knock-ended') this.#ended(String(id));
  }

  /** @param {Knock} knock @param {string} card */
  knock(knock, card) {
    const { knocks } = this.store.get();
    if (knocks.length >= KNOCKS || knocks.some(({ id }) => id === knock.id)) return;
    this.#cards.set(knock.id, card);
    if (this.#announced.has(card)) return this.answer(knock.id, true);
    this.store.set({ knocks: [...knocks, knock] });
  }

  /** A peer says over its own connection that it knocks with this card. @param {string} card */
  announced(card) {
    if (this.#announced.size >= ANNOUNCED) this.#announced.clear();
    this.#announced.add(card);
    for (const [id, shown] of this.#cards) if (shown === card) this.answer(id, true);
  }

  /** The server could not do what was asked. @param {string} code */
  failed(code) {
    if (code === 'room-full') toast(this.store, 'bad', errorText(code));
  }

  /** @param {string} id */
  #ended(id) {
    this.#cards.delete(id);
    this.store.set({ knocks: this.store.get().knocks.filter((knock) => knock.id !== id) });
  }
}
