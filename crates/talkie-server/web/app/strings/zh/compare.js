/**
 * 比较 WebSocket 与数据通道的页面。
 * @module
 */

/** @type {typeof import('../en/compare.js').default} */
export default {
  title: 'WebRTC 还是 WebSocket？',
  lead: '在两台设备之间传输同样的数据：一次用经过本服务器的 WebSocket，一次用浏览器之间直连的 WebRTC 数据通道。就在你自己的网络上并排测量。',
  pair: {
    title: '选择两端',
    hint: '在另一台设备上打开此链接，测量会自动开始。',
    copy: '复制链接',
    copied: '链接已复制',
    alone: '两端都在本浏览器',
    aloneHint: '这样数据通道不会离开本机，因此只能看出往返服务器的代价。',
    waiting: '正在等待另一台设备…',
    qr: '链接的二维码',
  },
  state: {
    connecting: '正在连接两个浏览器…',
    following: '本设备是另一端。结果显示在先打开页面的那台设备上。',
    failed: '两个浏览器之间找不到任何通路，连中继也不行。/check 页面可以查明原因。',
    gone: '另一台设备已离开。',
    again: '重新测量',
    stop: '停止',
    measuring: '正在测量…',
    stopped: '已停止。',
    serverless: '服务器没有应答。本设备在线吗？',
  },
  /** @type {Record<string, string>} */
  reasons: {
    'nobody-came': '十分钟内没有人打开链接。请刷新页面获取新链接。',
    'used-up': '这一对设备已用完服务器给予一次比较的额度。请刷新页面再来一次。',
    stalled: '有一台设备不再接收数据，服务器因此结束了比较。',
    refused: '服务器拒绝了此次比较：目前进行中的比较太多。请过几分钟再试。',
  },
  ways: {
    socket: '经过服务器的 WebSocket',
    channel: '数据通道（可靠）',
    loose: '数据通道（无序、不重传）',
  },
  path: {
    direct: '数据通道在两台机器之间直接传输。',
    nat: '数据通道直接传输，中间经过转换地址的路由器。',
    relay: '没有直接通路：数据通道经过了本服务器的中继，两者绕了同样的路。',
    same: '两端在同一个浏览器里：数据通道没有离开本机。',
  },
  results: {
    title: '结果',
    trips: '往返时间',
    tripsPlot: '测量期间每条消息的往返时间',
    sharePlot: '在若干毫秒内得到应答的消息所占比例',
    flows: '吞吐量',
    flowsPlot: '每条通路在每个方向上的吞吐量',
    busy: '通路占满时的往返时间',
    way: '通路',
    median: '中位数',
    p95: '95 %',
    jitter: '抖动',
    lost: '丢失',
    away: '从本机发出',
    back: '发往本机',
    copy: '复制为 JSON',
    copied: '已复制',
    copyFailed: '无法复制',
    /** @param {string} ms */
    ms: (ms) => `${ms} 毫秒`,
    /** @param {string} figure */
    rate: (figure) => `${figure} Mbit/s`,
  },
  verdict: {
    /** @param {string} channel @param {string} socket @param {string} times */
    faster: (channel, socket, times) => `消息经数据通道往返需 ${channel}，经服务器需 ${socket}：数据通道的速度是它的 ${times} 倍。`,
    /** @param {string} channel @param {string} socket @param {string} times */
    slower: (channel, socket, times) => `消息经服务器往返需 ${socket}，经数据通道需 ${channel}：在这里 WebSocket 的速度是它的 ${times} 倍。`,
    /** @param {string} channel @param {string} socket */
    even: (channel, socket) => `往返时间差不多：数据通道 ${channel}，经服务器 ${socket}。`,
    /** @param {string} times */
    wider: (times) => `数据通道每秒传输的数据是 WebSocket 的 ${times} 倍。`,
    /** @param {string} times */
    narrower: (times) => `WebSocket 每秒传输的数据是数据通道的 ${times} 倍。`,
    equal: '两者每秒传输的数据差不多。',
    /** @param {string} busy @param {string} idle */
    loaded: (busy, idle) => `数据通道占满时，往返时间为 ${busy}，空闲时为 ${idle}。`,
  },
  meaning: {
    title: '该用哪一个',
    socket: '当交谈的对象就是服务器，或者多数人只读少数人的话时，WebSocket 合适：它简单，能穿过各种代理，消息按序到达。而在两个浏览器之间，每条消息都要先到服务器再下来，服务器看得到全部内容，也要为此付出流量。',
    channel: '在两个浏览器之间，数据通道合适：路径短到网络允许的程度，端到端加密，服务器什么也不用承担。它建立连接需要片刻，偶尔还需要中继。',
    loose: '只有数据通道可以不等待丢失的数据。对于游戏里的位置，或者任何迟到就失效的东西，这才是关键。',
  },
};
