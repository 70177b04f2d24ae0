/**
 * The room: tiles, layouts, banners. The controls are in toolbar.js.
 * @module
 */

export default {
  room: {
    you: 'You',
    guest: 'Guest',
    /** @param {string} name */
    screenOf: (name) => `${name}’s screen`,
    yourScreen: 'Your screen',
    aloneTitle: 'You’re the first one here',
    aloneHint: 'Send this link to whom you want to talk to.',
    copyLink: 'Copy link',
    share: 'Share…',
    copied: 'Link copied',
    copiedOnlyHere: 'Link copied, but it works only on this computer',
    caution: {
      onlyHere:
        'This link works only on this computer: the server offers others no https address. Start it with --https 0.0.0.0:8443, or open this page by a name of the server that others can reach.',
      selfSigned: 'Their browser will warn once about the certificate, because your server made it itself. That is expected.',
    },
    copyFailed: 'Could not copy; here is the link to copy yourself:',
    /** @param {number} n */
    people: (n) => (n === 1 ? '1 person' : `${n} people`),
    note: {
      full: 'The room is full now',
      'one-left': 'One place left',
      many: 'Large for a direct call',
    },
    noteHint: {
      /** @param {number} limit */
      full: (limit) => `This room holds ${limit} people. Nobody else can join until somebody leaves.`,
      /** @param {number} limit */
      'one-left': (limit) => `This room holds ${limit} people.`,
      /** @param {number} _limit */
      many: (_limit) => 'Everybody sends their picture to everybody else. If it stutters, turn some cameras off.',
    },
    hear: 'Click to hear the others',
    tiles: 'People in the call',
    /** @param {string} name */
    joined: (name) => `${name} joined`,
    /** @param {string} name */
    went: (name) => `${name} left`,
    muted: 'Microphone off',
    /** @param {string} name */
    pin: (name) => `Keep ${name} large`,
    /** @param {string} name */
    unpin: (name) => `Stop keeping ${name} large`,
    moveSelf: 'Move your picture to another corner',
    /** @param {number} place */
    hand: (place) => `Hand raised, number ${place}`,
    /** @param {string} name */
    handUp: (name) => `${name} raised a hand`,
    handOwn: 'Your hand is up',
    handDown: 'Your hand is down',
    /** @param {string} name @param {string} emoji */
    reacted: (name, emoji) => `${name}: ${emoji}`,
    recording: 'Recording',
    /** @param {string} name */
    records: (name) => `${name} is recording this call`,
    /** @param {string} name */
    recordsNoMore: (name) => `${name} stopped recording`,
    captions: 'Captions',
    pictureInPicture: 'Call in a small window',
    pictureFailed: 'The small window could not be opened.',
  },
  recording: {
    stop: 'Stop recording',
    /** @param {string} time */
    running: (time) => `Recording, ${time}`,
    started: 'You are recording. Everybody here can see that.',
    saved: 'The recording is saved',
    /** @param {string} name */
    savedAs: (name) => `The recording is saved as ${name}`,
    download: 'Save the recording',
    failed: 'The recording could not be written. What was recorded before is kept.',
    unsupported: 'This browser can’t record a call.',
    noSound: 'This browser records only where it finds a sound output, such as speakers or headphones.',
  },
  phase: {
    connecting: 'Connecting…',
    connected: 'Connected',
    reconnecting: 'Reconnecting…',
    failed: 'No way through yet. Still trying…',
    refused: 'Refused: the server altered its messages',
    cut: 'Cut off: it sent far too much',
  },
  banner: {
    offline: 'You’re offline. The call goes on as soon as the network is back.',
    reconnecting: 'The connection to the server is lost; reconnecting. Your call goes on.',
    connecting: 'Connecting to the server…',
    draining: 'The server is about to restart. Your call goes on, but nobody can join for a moment.',
    retry: 'Try again',
  },
};
