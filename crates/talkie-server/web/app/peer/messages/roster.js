/**
 * `moved`: the sender had to join again and has this id in the room now. `knocking`: it has to knock to
 * be in again, and shows this card there.
 * @module
 */

/** @typedef {{type: 'moved', id: string}} MovedMessage */
/** @typedef {{type: 'knocking', card: string}} KnockingMessage */

export const rosterMessages = {
  /** @param {any} raw @returns {MovedMessage|null} */
  moved: (raw) => (typeof raw.id === 'string' && raw.id.length <= 128 ? { type: 'moved', id: raw.id } : null),
  /** @param {any} raw @returns {KnockingMessage|null} */
  knocking: (raw) => (typeof raw.card === 'string' && raw.card.length <= 1024 ? { type: 'knocking', card: raw.card } : null),
};
