/**
 * What follows from the key in a room's link (docs/signaling.md, "Sealed payloads"): the check that the
 * server compares without learning the key, the keys of cards, and those of payloads. A card is what a
 * peer shows of itself before anything is connected: a fresh nonce, and its name sealed.
 * @module
 */
import { cleanName } from '../names.js';
import { base64url, fields, fromBase64url, fromUtf8, utf8 } from './bytes.js';

/** @import {Aead, Crypto} from './crypto.js' */
/** @import {Bytes} from './bytes.js' */
/** @typedef {{nonce: Bytes, name: string}} Card */

const SALT = utf8('talkie sealed signaling 1');
const CARD_VERSION = '1';
const KEYLESS_VERSION = '0';
const CARD_LENGTH = 1024;
const NONCE_BYTES = 32;
/** A card's key seals one thing only, so its AES-GCM nonce may be fixed. */
const ONCE = new Uint8Array(12);
/** Names of nearly all lengths give cards of one length. */
const PAD_TO = 128;

export class RoomKeys {
  /**
   * @param {Crypto} crypto
   * @param {string} room
   * @param {string} key as it stands in the link
   */
  constructor(crypto, room, key) {
    this.crypto = crypto;
    this.room = room;
    this.secret = utf8(key);
  }

  /** @param {(string|Uint8Array)[]} purpose @returns {Promise<Bytes>} */
  derive(...purpose) {
    return this.crypto.derive(this.secret, SALT, fields(...purpose));
  }

  async check() {
    return base64url(await this.derive('check', this.room));
  }

  /** @param {Bytes} nonce fresh for each join @param {string} name */
  async makeCard(nonce, name) {
    const words = JSON.stringify({ name });
    const length = utf8(words).length;
    const padded = utf8(words + ' '.repeat((PAD_TO - (length % PAD_TO)) % PAD_TO));
    const sealed = await (await this.#cardKey(nonce)).seal(ONCE, this.#cardBound(nonce), padded);
    return `${CARD_VERSION}.${base64url(nonce)}.${base64url(sealed)}`;
  }

  /** @param {unknown} card as the server handed it on @returns {Promise<Card|null>} null: not made with this key for this room */
  async openCard(card) {
    if (typeof card !== 'string' || card.length > CARD_LENGTH) return null;
    const [version, nonceText, sealedText, ...rest] = card.split('.');
    const nonce = fromBase64url(nonceText);
    const sealed = fromBase64url(sealedText);
    if (version !== CARD_VERSION || rest.length > 0 || nonce?.length !== NONCE_BYTES || !sealed) return null;
    try {
      const words = fromUtf8(await (await this.#cardKey(nonce)).open(ONCE, this.#cardBound(nonce), sealed));
      return { nonce, name: cleanName(JSON.parse(words)?.name) };
    } catch {
      return null;
    }
  }

  /**
   * The key of one direction between two peers, for as long as both are in under these ids.
   * @param {{id: string, nonce: Bytes}} from
   * @param {{id: string, nonce: Bytes}} to
   */
  async payloadKey(from, to) {
    return this.crypto.aead(await this.derive('payload', this.room, from.id, to.id, from.nonce, to.nonce));
  }

  /** @param {Bytes} nonce @returns {Promise<Aead>} */
  async #cardKey(nonce) {
    return this.crypto.aead(await this.derive('card', this.room, nonce));
  }

  /** @param {Bytes} nonce */
  #cardBound(nonce) {
    return fields('talkie card 1', this.room, nonce);
  }
}

/** @returns {Bytes} */
export const freshNonce = () => crypto.getRandomValues(new Uint8Array(NONCE_BYTES));

/** In a room without a key a card is only something that nobody else has. */
export const keylessCard = () => `${KEYLESS_VERSION}.${base64url(freshNonce())}`;
