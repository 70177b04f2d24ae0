/**
 * Settings: devices, effects, sending, shortcuts.
 * @module
 */

export default {
  settings: {},
};
