/**
 * Being in a room, as the server has it: joining and joining again, who else is there, and payloads to and
 * from them. With a key, names and payloads are sealed here, so that the rest of the call neither knows
 * nor can forget it; what was tampered with goes no further. Messages are taken one after the other.
 * @module
 */
import { cleanName } from '../names.js';
import { strings } from '../strings.js';
import { Tampered } from '../trust/channel.js';
import { keylessCard } from '../trust/room-keys.js';
import { SealedRoom } from '../trust/sealed-room.js';
import { RoomLock } from './lock.js';

/** @import {AppStore} from '../state.js' */
/** @import {ServerMessage, Signaling} from './signaling.js' */
/** `trusted` false: its card is not of this room's key. @typedef {{id: string, name: string, trusted: boolean}} Peer */

/**
 * @typedef {object} MembershipEvents
 * @property {(welcome: ServerMessage) => void} session a new session
 * @property {(servers: unknown) => void} iceServers
 * @property {(self: string, peers: Peer[]) => void} joined
 * @property {(peer: Peer) => void} came
 * @property {(id: string, reason: string) => void} went
 * @property {(from: string, payload: any) => void} payload
 * @property {(id: string) => void} tampered
 * @property {() => void} waiting we knock for the first time
 * @property {(card: string) => void} knocksAgain we were in and have to knock, with this card
 * @property {(code: string) => void} refused we are not let in; the call is over
 * @property {(status: import('../types.js').SignalingStatus) => void} status
 */

const REJOIN_EVERY_MS = 4000;
const PEERS = 64;
const ID_LENGTH = 128;

/** Refusals of a join that may pass by themselves, and those that will not. */
const PASSING = new Set(['room-full', 'too-many-rooms', 'server-full', 'draining', 'too-fast', 'too-many-knocks']);
const LASTING = new Set(['bad-room-name', 'bad-name', 'bad-message', 'wrong-key', 'refused']);
/** A signal that crossed with its peer's leaving is nobody's fault. */
const NOBODYS_FAULT = new Set(['no-such-peer', 'not-in-room', 'already-in-room']);

export class Membership {
  /** @type {Promise<SealedRoom|null>} */ #sealed;
  /** @type {Promise<unknown>} */ #inbox = Promise.resolve();
  /** @type {Promise<unknown>} */ #outbox = Promise.resolve();
  /** @type {Set<string>} whose payloads we refuse */ #refused = new Set();
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #rejoinTimer;
  /** Counts sessions: what was meant for one is nothing in the next. */ #session = 0;
  /** The session in which we got in. */ #insideOf = -1;
  #everJoined = false;
  #over = false;
  #card = '';
  /** @type {number|null} */ #joinSeq = null;

  /**
   * @param {AppStore} store
   * @param {Signaling} signaling
   * @param {MembershipEvents} events
   */
  constructor(store, signaling, events) {
    this.store = store;
    this.signaling = signaling;
    this.events = events;
    const { room, key } = store.get();
    this.#sealed = key === null ? Promise.resolve(null) : SealedRoom.of(room, key);
    this.lock = new RoomLock(store, (type, fields) => signaling.send(type, fields));
    signaling.handlers = {
      session: (welcome) => this.#begin(welcome),
      message: (message) => this.#receive(message),
      status: (status) => events.status(status),
      ended: (code) => this.#ended(code),
    };
  }

  /** @param {ServerMessage|null} welcome of the session that is open already */
  start(welcome) {
    if (welcome) this.#begin(welcome);
    else this.signaling.start();
    this.events.status(this.signaling.status);
  }

  leave() {
    clearTimeout(this.#rejoinTimer);
    this.#over = true;
    // Said apart from the end of the session: `left` means gone, `ended` may be followed by a new session.
    if (this.store.get().selfId !== null) this.signaling.send('leave');
    this.signaling.close();
  }

  /** Whether the server has us in the room, as far as we know. */
  get inside() {
    return this.#insideOf === this.#session;
  }

  /** @param {string} to @param {unknown} payload */
  signal(to, payload) {
    // Between two sessions we have no id; sealed for the last one, it would look like the server's doing.
    if (!this.inside) return;
    if (this.store.get().key === null) return void this.signaling.send('signal', { to, payload });
    const text = JSON.stringify(payload);
    this.#inTurn('#outbox', async (still) => {
      const sealed = await (await this.#sealed)?.seal(to, text);
      if (sealed && still()) this.signaling.send('signal', { to, payload: sealed });
    });
  }

  /** @param {ServerMessage} welcome */
  #begin(welcome) {
    this.#session += 1;
    this.#refused.clear();
    this.events.session(welcome);
    void this.#enter();
  }

  async #enter() {
    clearTimeout(this.#rejoinTimer);
    // A second join would be refused, yet its card would have replaced the one that the others know.
    if (this.inside) return;
    const session = this.#session;
    const { room, name } = this.store.get();
    const sealed = await this.#sealed;
    const [card, check] = sealed ? await Promise.all([sealed.card(name), sealed.check()]) : [keylessCard(), undefined];
    if (session !== this.#session || this.#over) return;
    this.#card = card;
    this.#joinSeq = this.signaling.send('join', { room, name: sealed ? '' : name, card, check, pass: this.lock.pass ?? undefined });
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    this.#inTurn('#inbox', (still) => this.#handle(message, still));
  }

  /**
   * One after the other, though opening and sealing take their time; a bad one spoils only itself.
   * @param {'#inbox'|'#outbox'} queue
   * @param {(still: () => boolean) => unknown} act `still`: the session that this was for goes on
   */
  #inTurn(queue, act) {
    const session = this.#session;
    const still = () => session === this.#session && !this.#over;
    const before = queue === '#inbox' ? this.#inbox : this.#outbox;
    const after = before.then(() => (still() ? act(still) : undefined)).catch((error) => console.warn('talkie: signaling', error));
    if (queue === '#inbox') this.#inbox = after;
    else this.#outbox = after;
  }

  /** @param {ServerMessage} message @param {() => boolean} still @returns {unknown} */
  #handle(message, still) {
    switch (message.type) {
      case 'joined':
        return this.#joined(message, still);
      case 'peer-joined':
        return this.#came(message.peer, still);
      case 'peer-left':
        return this.#went(String(message.peer), String(message.reason));
      case 'signal':
        return this.#payload(String(message.from), message.payload, still);
      case 'ice-servers':
        return this.events.iceServers(message.iceServers);
      case 'draining':
        return this.store.set({ draining: true });
      case 'knocking':
        return this.#everJoined ? this.events.knocksAgain(this.#card) : (this.store.set({ waiting: true }), this.events.waiting());
      case 'knock':
        return this.#knock(message.peer);
      case 'error':
        return this.#error(String(message.code), message.about);
      default:
        return this.lock.handle(message);
    }
  }

  /** @param {ServerMessage} message @param {() => boolean} still */
  async #joined(message, still) {
    const self = String(message.self);
    (await this.#sealed)?.joined(self);
    const list = Array.isArray(message.peers) ? message.peers.slice(0, PEERS).filter(isPeer) : [];
    const peers = await Promise.all(list.map((peer) => this.#meet(peer)));
    if (!still()) return;
    this.#everJoined = true;
    this.#insideOf = this.#session;
    this.store.set({ selfId: self, notice: null, waiting: false });
    this.lock.joined(message);
    this.events.joined(self, peers);
    for (const peer of peers) if (!peer.trusted) this.#distrust(peer.id);
  }

  /** @param {unknown} raw @param {() => boolean} still */
  async #came(raw, still) {
    if (!isPeer(raw)) return;
    const peer = await this.#meet(raw);
    if (!still()) return;
    this.events.came(peer);
    if (!peer.trusted) this.#distrust(peer.id);
  }

  /** @param {{id: string, name?: unknown, card?: unknown}} raw @returns {Promise<Peer>} */
  async #meet(raw) {
    const sealed = await this.#sealed;
    const name = sealed ? await sealed.meet(raw) : cleanName(raw.name);
    return { id: raw.id, name: name || strings.room.guest, trusted: name !== null };
  }

  /** @param {string} id @param {string} reason */
  async #went(id, reason) {
    (await this.#sealed)?.part(id);
    this.#refused.delete(id);
    this.events.went(id, reason);
  }

  /** @param {string} from @param {unknown} payload @param {() => boolean} still */
  async #payload(from, payload, still) {
    const sealed = await this.#sealed;
    if (!sealed) return this.events.payload(from, payload);
    if (this.#refused.has(from)) return;
    try {
      const opened = await sealed.open(from, payload);
      if (!still()) return;
      if (opened?.refused === true) this.#distrust(from);
      else this.events.payload(from, opened);
    } catch (error) {
      if (!(error instanceof Tampered) || !still()) throw error;
      console.warn('talkie: refused a payload of', from, error.message);
      // So that the other one need not wait for an answer; if this gets through.
      this.signal(from, { refused: true });
      this.#distrust(from);
    }
  }

  /** @param {string} id */
  #distrust(id) {
    if (this.#refused.has(id)) return;
    this.#refused.add(id);
    this.events.tampered(id);
  }

  /** @param {unknown} raw */
  async #knock(raw) {
    if (!isPeer(raw)) return;
    const sealed = await this.#sealed;
    const name = sealed ? await sealed.nameOf(raw.card) : cleanName(raw.name);
    this.lock.knock({ id: raw.id, name: name || strings.room.guest, trusted: name !== null }, String(raw.card ?? ''));
  }

  /** @param {string} code of an error after which the session goes on @param {unknown} about */
  #error(code, about) {
    if (NOBODYS_FAULT.has(code)) return;
    console.warn('talkie: server error', code);
    // The payload is lost, and said again it would be out of order: only new keys let the others go on.
    if (code === 'too-fast' && typeof about === 'number' && about !== this.#joinSeq) return this.signaling.renew();
    if (about !== this.#joinSeq) return this.lock.failed(code);
    if (!PASSING.has(code) && !LASTING.has(code)) return;
    if (!this.#everJoined) return this.events.refused(this.#inWords(code));
    // We were in and want to be in again; media to those we still reach goes on meanwhile.
    this.store.set({ notice: this.#inWords(code) });
    clearTimeout(this.#rejoinTimer);
    if (PASSING.has(code)) this.#rejoinTimer = setTimeout(() => void this.#enter(), REJOIN_EVERY_MS);
  }

  /** @param {string} code */
  #ended(code) {
    if (this.#everJoined) this.store.set({ notice: code });
    else this.events.refused(code);
  }

  /** @param {string} code */
  #inWords(code) {
    return code === 'wrong-key' && this.store.get().key === null ? 'missing-key' : code;
  }
}

/** @param {any} raw @returns {raw is {id: string, name?: unknown, card?: unknown}} */
const isPeer = (raw) => typeof raw?.id === 'string' && raw.id.length <= ID_LENGTH;
