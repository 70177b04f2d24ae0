/**
 * Privacy from the server: keys, safety numbers, locked rooms.
 * @module
 */

export default {
  trust: {},
};
