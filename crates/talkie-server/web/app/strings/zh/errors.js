/**
 * What the server says no to, and words used everywhere.
 * @module
 */

/** @type {typeof import('../en/errors.js').default} */
export default {
  appName: 'talkie',
  /** @type {Record<string, string>} */
  errors: {
    'bad-room-name': '不能使用这个房间名称。',
    'bad-name': '不能使用这个名字，请换一个。',
    'room-full': '房间已满。',
    'too-many-rooms': '你所在的网络开的房间太多了。请关掉一个，或加入已有的房间。',
    'too-many-sessions': '你所在的网络目前连接的人太多，请稍后再试。',
    'server-full': '服务器已满，请稍后再试。',
    'too-fast': '一次发得太多，服务器处理不过来，请稍等片刻再试。',
    draining: '服务器即将重启，暂不开新房间，请一分钟后再试。',
    replaced: '这个通话已转到另一个窗口。',
    'broken-key': '此链接中的密钥（# 之后的部分）不完整或已损坏。请向对方索取完整链接。',
    'missing-key': '此链接缺少密钥，即 # 之后的部分。请向对方索取完整链接。',
    'wrong-key': '此链接中的密钥与该房间不符。请向房间里的人索取完整链接。',
    refused: '没有人让你进入。',
    'too-many-knocks': '此刻请求加入的人太多，请稍后再试。',
    knocking: '房间已锁定，正在等待重新进入。你的通话不会中断。',
    'bad-version': '页面版本比服务器旧，请重新加载。',
  },
  errorOther: '服务器无法完成这个操作。',
  dismiss: '关闭提示',
  close: '关闭',
  units: {
    /** @param {number} n */
    seconds: (n) => `${n} 秒`,
    /** @param {number} n */
    minutes: (n) => `${n} 分钟`,
    /** @param {string} n */
    hours: (n) => `${n} 小时`,
  },
};
