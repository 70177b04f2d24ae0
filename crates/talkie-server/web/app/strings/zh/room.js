/**
 * The room: tiles, controls, banners.
 * @module
 */

/** @type {typeof import('../en/room.js').default} */
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
    hear: 'Click to hear the others',
    tiles: 'People in the call',
    /** @param {string} name */
    joined: (name) => `${name} joined`,
    /** @param {string} name */
    went: (name) => `${name} left`,
    muted: 'Microphone off',
  },
  phase: {
    connecting: 'Connecting…',
    connected: 'Connected',
    reconnecting: 'Reconnecting…',
    cut: '已断开：对方发送的消息过多',
    failed: 'No way through yet. Still trying…',
  },
  toolbar: {
    label: 'Call controls',
    micOff: 'Mute microphone',
    micOn: 'Unmute microphone',
    micNone: 'Turn microphone on',
    cameraOff: 'Turn camera off',
    cameraOn: 'Turn camera on',
    screenOn: 'Share your screen',
    screenOff: 'Stop sharing your screen',
    chat: 'Chat',
    /** @param {number} n */
    chatUnread: (n) => `Chat, ${n} unread`,
    files: 'Files',
    leave: 'Leave the call',
  },
  banner: {
    offline: 'You’re offline. The call goes on as soon as the network is back.',
    reconnecting: 'The connection to the server is lost; reconnecting. Your call goes on.',
    connecting: 'Connecting to the server…',
    draining: 'The server is about to restart. Your call goes on, but nobody can join for a moment.',
    retry: 'Try again',
  },
};
