/**
 * The controls of the room and their keys.
 * @module
 */

export default {
  toolbar: {
    label: 'Call controls',
    micOff: 'Mute microphone',
    micOn: 'Unmute microphone',
    micNone: 'Turn microphone on',
    cameraOff: 'Turn camera off',
    cameraOn: 'Turn camera on',
    screenOn: 'Share your screen',
    screenOff: 'Stop sharing your screen',
    handUp: 'Raise your hand',
    handDown: 'Lower your hand',
    react: 'Send a reaction',
    layout: 'Layout',
    grid: 'Everybody the same size',
    speaker: 'Who speaks is large',
    pip: 'Small window',
    people: 'People',
    connection: 'Connection',
    settings: 'Settings',
    record: 'Record the call',
    recordStop: 'Stop recording',
    hold: 'Put the call on hold',
    resume: 'Resume the call',
    shortcuts: 'Keyboard shortcuts',
    more: 'More',
    chat: 'Chat',
    /** @param {number} n */
    chatUnread: (n) => `Chat, ${n} unread`,
    files: 'Files',
    leave: 'Leave the call',
  },
  shortcuts: {
    title: 'Keyboard shortcuts',
    mic: 'Microphone on or off',
    camera: 'Camera on or off',
    screen: 'Share your screen, or stop',
    hand: 'Raise or lower your hand',
    chat: 'Open or close the chat',
    talk: 'Talk while it is held (microphone off)',
    pin: 'Keep the first, second… tile large; again to stop',
    help: 'This help',
    close: 'Close the panel',
    space: 'Space',
    escape: 'Esc',
    enabled: 'Use keyboard shortcuts',
    hint: 'They never act while you write.',
  },
};
