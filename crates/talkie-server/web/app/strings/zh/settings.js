/**
 * Settings: devices, effects, sending, shortcuts.
 * @module
 */

/** @type {typeof import('../en/settings.js').default} */
export default {
  settings: {},
};
