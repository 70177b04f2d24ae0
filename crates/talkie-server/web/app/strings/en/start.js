/**
 * The pages outside the room: home, lobby, after the call.
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
};
    enterWithout: 'Join without camera and microphone',
