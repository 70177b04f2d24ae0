/**
 * Privacy from the server: keys, safety numbers, locked rooms.
 * @module
 */

/** @type {typeof import('../en/trust.js').default} */
export default {
  trust: {},
};
