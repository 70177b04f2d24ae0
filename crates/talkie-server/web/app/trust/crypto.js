/**
 * The three primitives that trust is built of (HKDF-SHA-256, AES-256-GCM, SHA-256), by WebCrypto. Pages
 * without it (plain http at an address) load a vendored implementation instead, so that they can talk
 * with the others; that it helps them little, the page says (views/trust/).
 * @module
 */

/** @import {Bytes} from './bytes.js' */

/**
 * @typedef {object} Aead a key that seals and opens
 * @property {(nonce: Bytes, bound: Bytes, text: Bytes) => Promise<Bytes>} seal
 * @property {(nonce: Bytes, bound: Bytes, data: Bytes) => Promise<Bytes>} open throws when it was not sealed so
 */

/**
 * @typedef {object} Crypto
 * @property {(bytes: Bytes) => Promise<Bytes>} sha256
 * @property {(secret: Bytes, salt: Bytes, info: Bytes) => Promise<Bytes>} derive 32 bytes by HKDF-SHA-256 (RFC 5869)
 * @property {(key: Bytes) => Promise<Aead>} aead AES-256-GCM, 12 bytes of nonce, 16 of tag behind the data
 */

/** @type {Promise<Crypto>|undefined} */
let loaded;

/** @returns {Promise<Crypto>} */
export function loadCrypto() {
  loaded ??= globalThis.crypto?.subtle ? Promise.resolve(webCrypto(crypto.subtle)) : import('./vendored-crypto.js').then((m) => m.vendoredCrypto());
  return loaded;
}

/** @param {SubtleCrypto} subtle @returns {Crypto} */
export function webCrypto(subtle) {
  return {
    sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes)),
    derive: async (secret, salt, info) => {
      const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
      return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256));
    },
    aead: async (raw) => {
      const key = await subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
      /** @param {Bytes} iv @param {Bytes} additionalData */
      const how = (iv, additionalData) => ({ name: 'AES-GCM', iv, additionalData, tagLength: 128 });
      return {
        seal: async (nonce, bound, text) => new Uint8Array(await subtle.encrypt(how(nonce, bound), key, text)),
        open: async (nonce, bound, data) => new Uint8Array(await subtle.decrypt(how(nonce, bound), key, data)),
      };
    },
  };
}
