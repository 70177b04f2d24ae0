/**
 * Chat.
 * @module
 */

/** @type {typeof import('../en/chat.js').default} */
export default {
  chat: {
    title: 'Chat',
    empty: 'Messages go straight to the others and are kept nowhere else.',
    placeholder: 'Message everybody',
    label: 'Message',
    send: 'Send',
    nobody: 'There is nobody here to read this yet.',
    log: 'Messages',
  },
};
