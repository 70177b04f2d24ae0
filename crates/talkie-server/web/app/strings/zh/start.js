/**
 * The pages outside the room: home, lobby, after the call.
 * @module
 */

/** @type {typeof import('../en/start.js').default} */
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
    eyebrow: '即将加入',
    hint: '看看画面、听听声音，准备好了就进去。',
    name: '你的名字',
    namePlaceholder: '别人看到的名字',
    enter: '立即加入',
    enterWithout: '不使用摄像头和麦克风加入',
    back: '返回',
    asking: '浏览器正在请求使用摄像头和麦克风。',
    cameraOff: '摄像头已关闭',
    noDevices: '你将不带摄像头和麦克风加入',
  },
  left: {
    /** @param {string} room */
    title: (room) => `You left ${room}`,
    ended: 'The call has ended for you',
    rejoin: 'Join again',
    home: 'Back to the start',
  },
};
