/**
 * Privacy from the server: keys, safety numbers, locked rooms, and who is in.
 * @module
 */

export default {
  trust: {
    keyless: 'This room has no key: the server could listen in.',
    keylessHint: 'Start a room from the first page to get a link with a key.',
    notPrivate: 'Not private',
    sealed: 'Private: only people with the complete link can get in, and the server cannot read names or listen in.',
    insecure: 'This page came over plain http: the network can change the page itself, so the key gives no privacy from it. Open it by https.',
    nobodyInside: 'Nobody is inside yet.',
    /** @param {number} n */
    inside: (n) => (n === 1 ? '1 person is inside.' : `${n} people are inside.`),
    lockedRoom: 'The room is locked: somebody inside has to let you in.',
    ask: 'Ask to join',
    waiting: 'You knocked. Waiting for somebody to let you in…',
    cancel: 'Cancel',
    tampered: 'Refused: the server altered, repeated or held back messages',
    /** @param {string} name */
    tamperedToast: (name) => `The server altered, repeated or held back messages between you and ${name}. They were refused. Others in the room are not affected.`,
    verified: 'Number verified',
    doubted: 'The number did not match',
    /** @param {string} name */
    compareTitle: (name) => `Compare this number with ${name}`,
    /** @param {string} name */
    compareHow: (name) => `Read it to each other, best by voice while you see each other. If ${name} sees the same number, nobody sits between you.`,
    noNumber: 'There is no number yet: it is there as soon as you are connected.',
    same: 'It is the same',
    different: 'It is different',
    undo: 'Not verified after all',
    /** @param {string} name */
    differentAdvice: (name) =>
      `Then somebody may be listening between you and ${name}. Say nothing confidential here. Leave, and agree on a new room over another way that you trust.`,
  },
  people: {
    title: 'People',
    self: 'You',
    /** @param {string} name */
    selfNamed: (name) => `${name} (You)`,
    list: 'People in the room',
    lock: 'Lock the room',
    lockHint: 'Newcomers knock, and somebody inside lets them in.',
    micOn: 'Microphone on',
    micOff: 'Microphone off',
    cameraOn: 'Camera on',
    cameraOff: 'Camera off',
    safety: 'Safety number',
    /** @param {string} name */
    safetyOf: (name) => `Safety number with ${name}`,
    knocks: 'Asking to join',
    /** @param {string} name */
    knocking: (name) => `${name} asks to join`,
    untrusted: 'Somebody without this room’s key asks to join',
    admit: 'Let in',
    refuse: 'Refuse',
    /** @param {string} name */
    admitName: (name) => `Let ${name} in`,
    /** @param {string} name */
    refuseName: (name) => `Refuse ${name}`,
    /** @param {number} n */
    buttonKnocks: (n) => `People, ${n} asking to join`,
    nowLocked: 'The room is locked',
    nowOpen: 'The room is open again',
  },
};
