/**
 * Settings, Sending; loaded with the tab.
 * @module
 */

/** @type {typeof import('../en/sending.js').default} */
export default {
  budget: '上行带宽的用量',
  budgetHint: '指发给所有人的总量：通话中每个人都向其他每个人发送。声音优先，其次是共享的屏幕，最后是摄像头。',
  /** @param {string} rate */
  automatic: (rate) => `自动（最多 ${rate}）`,
  /** @param {string} rate */
  upTo: (rate) => `最多 ${rate}`,
  /** @param {string} mbit */
  mbit: (mbit) => `${mbit} Mbit/s`,
  /** @param {number} kbit */
  kbit: (kbit) => `${kbit} kbit/s`,
  lines: '摄像头分辨率',
  linesHint: '画面越小，占用的网络和本机资源越少。通话人数多时，画面还会进一步缩小。',
  asCamera: '按摄像头原样',
  degradation: '网络太慢时',
  degradationHint: '只影响摄像头。共享的屏幕会保持清晰。',
  balanced: '清晰度和流畅度各降一点',
  framerate: '保持流畅，画面变模糊',
  resolution: '保持清晰，画面会卡顿',
  codec: '首选视频编码',
  codecHint: '请其他人的浏览器用它向你发送；不支持的浏览器会使用别的编码。VP9 和 AV1 更省网络，但更耗电脑性能。',
  codecs: { auto: '由浏览器决定', vp8: 'VP8', vp9: 'VP9', h264: 'H.264', av1: 'AV1' },
  /** @param {number} people @param {string} rate @param {number} lines */
  share: (people, rate, lines) => `现在：${people === 1 ? '对方' : `其他 ${people} 人，每人`}收到的你的画面最多 ${lines} 行、${rate}。`,
  /** @param {number} people */
  shareNothing: (people) => `现在：发给其他 ${people} 人时带宽不够传送画面，只发送你的声音。`,
};
