/**
 * `moved`: the sender had to join again and has this id in the room now.
 * @module
 */

/** @typedef {{type: 'moved', id: string}} MovedMessage */

export const rosterMessages = {
  /** @param {any} raw @returns {MovedMessage|null} */
  moved: (raw) => (typeof raw.id === 'string' && raw.id.length <= 128 ? { type: 'moved', id: raw.id } : null),
};
