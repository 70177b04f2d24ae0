/**
 * 房间：画面、布局、提示。控制按钮见 toolbar.js。
 * @module
 */

/** @type {typeof import('../en/room.js').default} */
export default {
  room: {
    you: '我',
    guest: '访客',
    screenOf: (name) => `${name} 的屏幕`,
    yourScreen: '我的屏幕',
    aloneTitle: '你是第一个到的',
    aloneHint: '把这个链接发给你想通话的人。',
    copyLink: '复制链接',
    share: '分享…',
    copied: '链接已复制',
    copiedOnlyHere: '链接已复制，但只能在这台电脑上使用',
    caution: {
      onlyHere:
        '这个链接只能在这台电脑上使用：服务器没有为其他人提供 https 地址。请用 --https 0.0.0.0:8443 启动服务器，或者用其他人能访问到的服务器名称打开本页。',
      selfSigned: '对方的浏览器会就证书提醒一次，因为证书是你的服务器自己签发的。这是正常现象。',
    },
    copyFailed: '无法复制，请自行复制下面的链接：',
    people: (n) => `${n} 人`,
    note: {
      full: '房间已满',
      'one-left': '还剩一个位置',
      many: '直连通话人数较多',
    },
    noteHint: {
      full: (limit) => `这个房间最多容纳 ${limit} 人。有人离开之前，其他人无法加入。`,
      'one-left': (limit) => `这个房间最多容纳 ${limit} 人。`,
      many: (_limit) => '每个人都要把画面发给其他所有人。如果出现卡顿，请关闭一些摄像头。',
    },
    hear: '点击以听到其他人的声音',
    tiles: '通话中的人',
    joined: (name) => `${name} 加入了`,
    went: (name) => `${name} 离开了`,
    muted: '麦克风已关闭',
    pin: (name) => `将 ${name} 固定为大画面`,
    unpin: (name) => `取消固定 ${name}`,
    moveSelf: '把我的画面移到另一个角落',
    hand: (place) => `已举手，第 ${place} 位`,
    handUp: (name) => `${name} 举手了`,
    handOwn: '你已举手',
    handDown: '你已放下手',
    reacted: (name, emoji) => `${name}：${emoji}`,
    recording: '正在录制',
    records: (name) => `${name} 正在录制本次通话`,
    recordsNoMore: (name) => `${name} 停止了录制`,
    captions: '字幕',
    pictureInPicture: '小窗口通话',
    pictureFailed: '无法打开小窗口。',
  },
  recording: {
    stop: '停止录制',
    running: (time) => `正在录制，${time}`,
    started: '你正在录制，这里的每个人都能看到。',
    saved: '录制已保存',
    savedAs: (name) => `录制已保存为 ${name}`,
    download: '保存录制',
    failed: '无法写入录制。此前录制的内容已保留。',
    unsupported: '此浏览器无法录制通话。',
    noSound: '此浏览器需要有扬声器或耳机等音频输出设备才能录制。',
  },
  phase: {
    connecting: '正在连接…',
    connected: '已连接',
    reconnecting: '正在重新连接…',
    failed: '暂时无法连通，仍在尝试…',
    refused: '已拒绝：服务器篡改了对方的消息',
    cut: '已断开：对方发送的消息过多',
  },
  banner: {
    offline: '你已离线。网络恢复后通话会立即继续。',
    reconnecting: '与服务器的连接已断开，正在重新连接。通话仍在继续。',
    connecting: '正在连接服务器…',
    draining: '服务器即将重启。通话仍会继续，但暂时无人能加入。',
    retry: '重试',
  },
};
