/**
 * `state`: what somebody has switched on.
 * @module
 */

/** @typedef {{type: 'state', mic: boolean, camera: boolean, screen: boolean}} PresenceMessage */

export const presenceMessages = {
  /** @param {any} raw @returns {PresenceMessage} */
  state: (raw) => ({ type: 'state', mic: raw.mic === true, camera: raw.camera === true, screen: raw.screen === true }),
};
