/**
 * The primitives of crypto.js in plain JavaScript (@noble/ciphers and @noble/hashes, web/vendor/noble/),
 * for pages that have no WebCrypto.
 * @module
 */

/** @import {Crypto} from './crypto.js' */

/** Not by a literal: what is vendored is not ours to type-check. @param {string} file @returns {Promise<any>} */
const vendored = (file) => import(new URL(`../../vendor/noble/${file}`, import.meta.url).href);

/** @returns {Promise<Crypto>} */
export async function vendoredCrypto() {
  const [{ gcm }, { hkdf }, { sha256 }] = await Promise.all([vendored('ciphers/aes.js'), vendored('hashes/hkdf.js'), vendored('hashes/sha2.js')]);
  return {
    sha256: async (bytes) => sha256(bytes),
    derive: async (secret, salt, info) => hkdf(sha256, secret, salt, info, 32),
    aead: async (key) => ({
      seal: async (nonce, bound, text) => gcm(key, nonce, bound).encrypt(text),
      open: async (nonce, bound, data) => gcm(key, nonce, bound).decrypt(data),
    }),
  };
}
