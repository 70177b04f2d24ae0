/**
 * A room's payloads between us and each of the others, sealed with keys that the server does not have.
 * Each join begins anew: a fresh nonce in our card, new ids, new keys, counters from 1. What a payload
 * says is only handed on when it came from that peer, in this session, unchanged and in its turn.
 * @module
 */
import { base64url } from './bytes.js';
import { loadCrypto } from './crypto.js';
import { Channel, Tampered } from './channel.js';
import { freshNonce, RoomKeys } from './room-keys.js';

/** @import {Bytes} from './bytes.js' */
/** @typedef {{to: Channel, from: Channel}} Pair */
/** What the server said of a peer. @typedef {{id: string, card?: unknown}} Shown */

/** Nobody's room sees so many come and go during one stay. */
const MET = 10_000;

export class SealedRoom {
  /** @type {Map<string, Pair|null>} null: the card did not open */ #pairs = new Map();
  /** Nonces of the cards seen with our present one. @type {Set<string>} */ #met = new Set();
  /** @type {Bytes|null} */ #nonce = null;
  /** @type {string|null} */ #self = null;

  /** @param {RoomKeys} keys */
  constructor(keys) {
    this.keys = keys;
  }

  /** @param {string} room @param {string} key */
  static async of(room, key) {
    return new SealedRoom(new RoomKeys(await loadCrypto(), room, key));
  }

  check() {
    return this.keys.check();
  }

  /** For the join that is about to be said. @param {string} name */
  async card(name) {
    this.#nonce = freshNonce();
    this.#met.clear();
    return this.keys.makeCard(this.#nonce, name);
  }

  /** We are in. @param {string} self */
  joined(self) {
    this.#self = self;
    this.#pairs.clear();
  }

  /**
   * Somebody is in the room with us.
   * @param {Shown} peer
   * @returns {Promise<string|null>} the name on the card; null: the card is not of this room and key
   */
  async meet({ id, card }) {
    const [nonce, self] = [this.#nonce, this.#self];
    const opened = await this.keys.openCard(card);
    // Meanwhile we may have begun to join anew; then this is about a stay that is over.
    if (!nonce || self === null || nonce !== this.#nonce) return null;
    // A card met twice with the same of ours would give the same keys with their counters begun anew: old
    // payloads would open again, and two of ours be sealed with one nonce. Peers join with a fresh card.
    if (!opened || !this.#isNew(opened.nonce)) {
      this.#pairs.set(id, null);
      return null;
    }
    const own = { id: self, nonce };
    const other = { id, nonce: opened.nonce };
    this.#pairs.set(id, { to: new Channel(this.keys, own, other), from: new Channel(this.keys, other, own) });
    return opened.name;
  }

  /** @param {Bytes} nonce */
  #isNew(nonce) {
    const text = base64url(nonce);
    if (this.#met.has(text) || this.#met.size >= MET) return false;
    this.#met.add(text);
    return true;
  }

  /** @param {string} id */
  part(id) {
    this.#pairs.delete(id);
  }

  /** The name of somebody who is not in yet. @param {unknown} card */
  async nameOf(card) {
    return (await this.keys.openCard(card))?.name ?? null;
  }

  /** @param {string} to @param {string} text @returns {Promise<unknown>|null} null: there is no key for this peer */
  seal(to, text) {
    return this.#pairs.get(to)?.to.seal(text) ?? null;
  }

  /** @param {string} from @param {unknown} payload @returns {Promise<any>} throws Tampered */
  async open(from, payload) {
    const pair = this.#pairs.get(from);
    if (!pair) throw new Tampered('no card that opens');
    return pair.from.open(payload);
  }
}
