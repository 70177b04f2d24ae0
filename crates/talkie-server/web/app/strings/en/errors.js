/**
 * What the server says no to, and words used everywhere.
 * @module
 */

export default {
  appName: 'talkie',
  /** @type {Record<string, string>} */
  errors: {
    'bad-room-name': 'This room name is not allowed.',
    'bad-name': 'This name is not allowed. Choose another.',
    'room-full': 'This room is full.',
    'too-many-rooms': 'Too many rooms are open from your network. Close one or join one that exists.',
    'too-many-sessions': 'Too many people from your network are connected at the moment. Try again later.',
    'server-full': 'The server is full at the moment. Try again later.',
    'too-fast': 'That was too much at once for the server. Try again in a moment.',
    draining: 'The server is about to restart and opens no new rooms. Try again in a minute.',
    replaced: 'This call was taken over by another window.',
    'broken-key': 'The key in this link, the part after #, is cut short or damaged. Ask for the complete link.',
    'missing-key': 'This link lacks its key, the part after #. Ask for the complete link.',
    'wrong-key': 'The key in this link does not fit this room. Ask the people inside for the complete link.',
    refused: 'Nobody let you in.',
    'too-many-knocks': 'Too many people are asking to join at the moment. Try again in a minute.',
    knocking: 'The room is locked; waiting to be let in again. Your call goes on.',
    'bad-version': 'This page is older than the server. Reload it.',
  },
  errorOther: 'The server could not do that.',
  dismiss: 'Dismiss',
  close: 'Close',
  units: {
    /** @param {number} n */
    seconds: (n) => `${n} s`,
    /** @param {number} n */
    minutes: (n) => `${n} min`,
    /** @param {string} n */
    hours: (n) => `${n} h`,
  },
};
