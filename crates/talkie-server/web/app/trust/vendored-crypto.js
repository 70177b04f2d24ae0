/**
 * The primitives of crypto.js in plain JavaScript (@noble/ciphers and @noble/hashes, web/vendor/noble/),
 * for pages that have no WebCrypto.
 * @module
 */

/** @import {Crypto} from './crypto.js' */

/** @returns {Promise<Crypto>} */
export async function vendoredCrypto() {
  const [{ gcm }, { hkdf }, { sha256 }] = await Promise.all([
    import('../../vendor/noble/ciphers/aes.js'),
    import('../../vendor/noble/hashes/hkdf.js'),
    import('../../vendor/noble/hashes/sha2.js'),
  ]);
  return {
    sha256: async (bytes) => sha256(bytes),
    derive: async (secret, salt, info) => hkdf(sha256, secret, salt, info, 32),
    aead: async (key) => ({
      seal: async (nonce, bound, text) => gcm(key, nonce, bound).encrypt(text),
      open: async (nonce, bound, data) => gcm(key, nonce, bound).decrypt(data),
    }),
  };
}
