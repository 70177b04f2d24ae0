/**
 * All text that a person reads, in one place. Another language is another object of this shape.
 * @module
 */

const english = {
  appName: 'talkie',
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
  },
  lobby: {
    eyebrow: 'You’re about to join',
    hint: 'Check how you look and sound, then step in.',
    name: 'Your name',
    namePlaceholder: 'How others see you',
    enter: 'Join now',
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
    failed: 'No way through yet. Still trying…',
  },
  badge: {
    direct: 'Direct',
    nat: 'Through NAT',
    relay: 'Relayed',
    /** @param {string} via */
    relayVia: (via) => `Relayed · ${via.toUpperCase()}`,
    /** @param {number} ms */
    rtt: (ms) => `${ms} ms`,
    directHint: 'Packets go straight from machine to machine.',
    natHint: 'Packets go straight, through a router that translates addresses.',
    relayHint: 'No direct way was found: this server passes the encrypted packets on.',
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
  chat: {
    title: 'Chat',
    empty: 'Messages go straight to the others and are kept nowhere else.',
    placeholder: 'Message everybody',
    label: 'Message',
    send: 'Send',
    close: 'Close',
    nobody: 'There is nobody here to read this yet.',
    log: 'Messages',
  },
  files: {
    title: 'Files',
    empty: 'Send files of any kind straight to everybody in the room.',
    choose: 'Send files…',
    nobody: 'Nobody is connected who could receive a file.',
    /** @param {string} name */
    from: (name) => `from ${name}`,
    accept: 'Accept',
    decline: 'Decline',
    cancel: 'Cancel',
    save: 'Save',
    verified: 'Verified',
    /** @param {string} from @param {string} file */
    offered: (from, file) => `${from} wants to send you “${file}”`,
    /** @param {string} file */
    received: (file) => `“${file}” has arrived`,
    /** @param {string} name @param {number} percent */
    progressOf: (name, percent) => `${name}, ${percent} percent`,
    state: {
      offered: 'Waiting for you',
      waiting: 'Waiting for them to accept',
      active: 'In transfer',
      done: 'Done',
      declined: 'Declined',
      cancelled: 'Cancelled',
      failed: 'Failed',
    },
  },
  /** @type {Record<string, string>} */
  transferReasons: {
    left: 'The other side left.',
    lost: 'The connection was lost.',
    changed: 'The file could not be read to its end.',
    damaged: 'A part arrived damaged.',
    protocol: 'The other side sent something unexpected.',
    storage: 'There was no room to store it.',
    'too-big': 'Too big for this browser to receive.',
  },
  banner: {
    offline: 'You’re offline. The call goes on as soon as the network is back.',
    reconnecting: 'The connection to the server is lost; reconnecting. Your call goes on.',
    connecting: 'Connecting to the server…',
    draining: 'The server is about to restart. Your call goes on, but nobody can join for a moment.',
    retry: 'Try again',
  },
  media: {
    refused: {
      mic: 'This page may not use your microphone. Allow it at the left end of the address bar and switch it on again.',
      camera: 'This page may not use your camera. Allow it at the left end of the address bar and switch it on again.',
    },
    missing: { mic: 'No microphone was found.', camera: 'No camera was found.' },
    busy: {
      mic: 'Another program seems to be using your microphone.',
      camera: 'Another program seems to be using your camera.',
    },
    insecure: {
      mic: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
      camera: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
    },
    unsupported: { mic: 'This browser offers no microphone.', camera: 'This browser offers no camera.' },
    failed: { mic: 'The microphone could not be started.', camera: 'The camera could not be started.' },
    goesOn: 'You can join without.',
    screen: {
      refused: 'The screen was not shared.',
      missing: 'There is nothing to share on this device.',
      busy: 'The screen could not be captured.',
      insecure: 'Sharing the screen needs https or localhost.',
      unsupported: 'This browser cannot share the screen.',
      failed: 'The screen could not be shared.',
    },
  },
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
    'bad-version': 'This page is older than the server. Reload it.',
  },
  errorOther: 'The server could not do that.',
  dismiss: 'Dismiss',
  /** @type {Intl.LocalesArgument} */
  locale: undefined,
};

export const strings = english;

/** @param {string} code */
export function errorText(code) {
  return (Object.hasOwn(strings.errors, code) && strings.errors[code]) || strings.errorOther;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** @param {number} bytes */
export function sizeText(bytes) {
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

/** @param {number} seconds */
export function timeText(seconds) {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
