/**
 * Chat.
 * @module
 */

export default {
  chat: {
    title: 'Chat',
    empty: 'Messages go straight to the others and are kept nowhere else.',
    placeholder: 'Message everybody',
    label: 'Message',
    send: 'Send',
    nobody: 'There is nobody here to read this yet.',
    log: 'Messages',
    /** @param {string} length as it is written */
    cut: (length) => `Cut to ${length} characters, the longest a message can be. Send longer texts as a file.`,
    /** @param {string} teller */
    told: (teller) => `earlier, as told by ${teller}`,
    /** @param {readonly string[]} names at least one */
    typing: (names) => (names.length === 1 ? `${names[0]} is writing…` : names.length === 2 ? `${names[0]} and ${names[1]} are writing…` : 'Several people are writing…'),
    emoji: 'Emoji',
    emojiGroups: { smileys: 'Smileys', gestures: 'Gestures', nature: 'Nature and food', things: 'Things and signs' },
  },
};
