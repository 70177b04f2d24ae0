/**
 * `reaction`: one of a few emoji, shown for a moment over the tile of who sent it.
 * @module
 */

export const REACTIONS = /** @type {const} */ (['👍', '❤️', '😂', '😮', '👏', '🎉']);

/** @typedef {(typeof REACTIONS)[number]} Reaction */
/** @typedef {{type: 'reaction', emoji: Reaction}} ReactionMessage */

export const reactionMessages = {
  /** @param {any} raw @returns {ReactionMessage|null} */
  reaction: (raw) => (REACTIONS.includes(raw.emoji) ? { type: 'reaction', emoji: raw.emoji } : null),
};
