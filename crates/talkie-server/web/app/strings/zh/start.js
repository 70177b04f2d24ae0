/**
 * The pages outside the room (home, lobby, after the call), and how others are invited.
 * @module
 */

/** @type {typeof import('../en/start.js').default} */
export default {
  home: {
    title: '聊天，传文件，就这么简单。',
    lead: '通话和文件直接在浏览器之间传送，由你自己的服务器牵线。无需账号，无需安装。',
    startTitle: '开一个房间',
    startHint: '取个名字，或直接用这个，然后把链接发给别人。',
    roomName: '房间名称',
    shuffle: '换一个名称',
    start: '开始',
    joinTitle: '加入房间',
    joinHint: '粘贴链接，或输入房间名称。',
    joinLabel: '链接或房间名称',
    joinPlaceholder: 'calm-otter-bridge',
    join: '加入',
    badName: '房间名称只能包含字母、数字和连字符，最多 64 个字符。',
    badInvite: '这既不是房间链接，也不是房间名称。',
    factDirect: ['走最短的路', '声音、画面和文件加密后从一台设备直达另一台。'],
    factNat: ['穿过任何网络', '无法直连时，由这台服务器转发数据包。'],
    factOwn: ['没有中间人', '不要账号，没有跟踪，不经第三方。'],
    recentTitle: '最近的房间',
    recentHint: '连同链接里的密钥，只保存在这个浏览器中。',
    recentNone: '你进入过的房间会显示在这里。',
    /** @param {string} when */
    recentAt: (when) => `上次进入：${when}`,
    /** @param {string} room */
    forget: (room) => `忘记 ${room}`,
    forgetAll: '全部忘记',
    remember: '记住房间',
    tools: '更多',
    check: '检查我的连接',
    sdp: '读懂 SDP',
    compare: 'WebSocket 还是 WebRTC？',
    language: '语言',
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
    title: (room) => `你已离开 ${room}`,
    ended: '通话已结束',
    rejoin: '重新加入',
    home: '回到首页',
  },
  invite: {
    title: '邀请别人',
    hint: '有这个链接的人都能加入。# 后面是密钥，不会发给服务器。',
    qr: '显示二维码',
    /** @param {string} room */
    qrAlt: (room) => `${room} 链接的二维码`,
    qrHint: '用手机摄像头扫一扫。',
    qrFailed: '无法生成二维码，请复制链接。',
  },
  offline: {
    network: ['你已离线', '通话需要网络。网络恢复后，本页会自动继续。'],
    server: ['服务器没有响应', '这是上次访问时保存的页面。服务器恢复后即可通话。'],
    retry: '重试',
  },
};
