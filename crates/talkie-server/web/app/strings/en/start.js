/**
 * The pages outside the room (home, lobby, after the call), and how others are invited.
 * @module
 */

export default {
  home: {
    title: 'Talk, share, done.',
    lead: 'Calls and files straight from browser to browser, arranged by your own server. No account, nothing to install.',
    startTitle: 'Start a room',
    startHint: 'Pick a name or keep this one, then share the link.',
    roomName: 'Room name',
    shuffle: 'Suggest another name',
    start: 'Start',
    joinTitle: 'Join a room',
    joinHint: 'Paste a link or type the name of a room.',
    joinLabel: 'Link or room name',
    joinPlaceholder: 'calm-otter-bridge',
    join: 'Join',
    badName: 'A room name is made of letters, digits and dashes, up to 64 of them.',
    badInvite: 'That is neither a link to a room nor a room name.',
    factDirect: ['The shortest way', 'Sound, pictures and files go from one machine to the other, encrypted.'],
    factNat: ['Through any network', 'Where no direct way exists, this server passes the packets on.'],
    factOwn: ['Nobody in between', 'No account, no tracking, no third party.'],
    recentTitle: 'Recent rooms',
    recentHint: 'Kept in this browser only, with the keys of their links.',
    recentNone: 'Rooms that you enter will be listed here.',
    /** @param {string} when */
    recentAt: (when) => `last there ${when}`,
    /** @param {string} room */
    forget: (room) => `Forget ${room}`,
    forgetAll: 'Forget all',
    remember: 'Remember rooms',
    tools: 'More',
    check: 'Check my connection',
    sdp: 'Read an SDP',
    compare: 'WebSocket or WebRTC?',
    language: 'Language',
  },
  lobby: {
    eyebrow: 'You’re about to join',
    hint: 'Check how you look and sound, then step in.',
    name: 'Your name',
    namePlaceholder: 'How others see you',
    enter: 'Join now',
    enterWithout: 'Join without camera and microphone',
    back: 'Back',
    asking: 'Your browser is asking for your camera and microphone.',
    cameraOff: 'Camera is off',
    noDevices: 'You join without camera and microphone',
  },
  left: {
    /** @param {string} room */
    title: (room) => `You left ${room}`,
    ended: 'The call has ended for you',
    rejoin: 'Join again',
    home: 'Back to the start',
  },
  invite: {
    title: 'Invite others',
    hint: 'Whoever has this link can join. The part behind the # is the key; it never reaches the server.',
    qr: 'Show as QR code',
    /** @param {string} room */
    qrAlt: (room) => `QR code of the link to ${room}`,
    qrHint: 'Point the camera of a phone at it.',
    qrFailed: 'The QR code could not be drawn. Copy the link instead.',
  },
  offline: {
    network: ['You’re offline', 'A call needs a network. This page goes on as soon as there is one.'],
    server: ['The server does not answer', 'This is the page as it was kept from your last visit. Calls work again when the server is back.'],
    retry: 'Try again',
  },
};
