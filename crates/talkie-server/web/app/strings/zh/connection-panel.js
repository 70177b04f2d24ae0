/**
 * The connection panel; loaded with it.
 * @module
 */

/** @type {typeof import('../en/connection-panel.js').default} */
export default {
  nobody: '还没有其他人。有人加入后，这里会显示数据包怎样传送。',
  peer: '与谁的连接',
  now: '当前',
  way: '通路',
  why: '为什么经过中继？',
  charts: '最近几分钟',
  happened: '发生过什么',
  details: '候选地址与候选对',
  pause: '暂停',
  goOn: '继续',
  chart: '图表',
  table: '表格',
  restart: '重新寻找通路（ICE 重启）',
  restarted: '正在寻找新的通路。',
  notNow: '现在不行：连不上服务器，或者协商正在进行。',
  explain: '解读 SDP',
  save: '保存为 JSON',
  withAddresses: '包含 IP 地址',
  withAddressesHint: '不包含时，文件不会透露任何人的位置。文件里从不含姓名。',
  units: { kbps: 'kbit/s', ms: '毫秒', percent: '%', fps: '帧/秒', lines: '行' },
  figures: {
    bitrate: '码率', rtt: '往返时间', loss: '丢包', buffer: '抖动缓冲', frames: '帧率', lines: '分辨率', jitter: '抖动',
    received: '接收', sent: '发送', time: '时间', camera: '摄像头', screen: '屏幕', sound: '声音', available: '可发送', limited: '受限于', freezes: '卡顿',
  },
  /** @param {string} way received or sent @param {string} what */
  of: (way, what) => `${way}：${what}`,
  /** @param {string} what received or sent @param {string} value */
  pair: (what, value) => `${what} ${value}`,
  none: '–',
  /** @param {number} seconds */
  ago: (seconds) => (seconds === 0 ? '现在' : seconds < 60 ? `${seconds} 秒前` : `${Math.round(seconds / 60)} 分钟前`),
  limitation: {
    none: '没有限制', cpu: '本机性能（CPU）', bandwidth: '网络带宽', other: '其他原因', unknown: '此浏览器不提供',
  },
  ways: {
    none: '目前没有通路。',
    direct: '两台设备直接相连：在同一网络内，或都有公网地址。',
    nat: '直接相连，途中至少经过一台做地址转换（NAT）的路由器。',
    relay: '经由本服务器的中继，端到端加密：服务器看不到内容。',
    relayUdp: '我们通过 UDP 连接中继：这是最快的方式。',
    relayTcp: '我们通过 TCP 连接中继：丢失的数据包会拖住后面的数据包。',
    relayTls: '我们像访问网页一样通过 TLS 连接中继：几乎处处可通，但丢失的数据包会拖住后面的数据包。',
    relayTheirs: '用的是对方的中继；我们直接连到它。',
  },
  here: '在我们这边：',
  /** @param {string} name */
  there: (name) => `${name} 告知对方那边的情况：`,
  reasons: {
    policy: '网址中带有 ?relay：只允许使用中继。',
    leg: '网址中带有 ?transport：只允许用一种方式连接中继。',
    'no-udp': 'UDP 似乎被封锁：STUN 没有返回地址，而且只能通过 TCP 或 TLS 连到中继。可以请网络管理员放行 UDP 3478。',
    'no-reflexive': '没有得到公网地址：UDP 上的 STUN 没有回应。可能是防火墙不让 UDP 出去，或只放行少数目标。',
    symmetric: '路由器似乎对每个目标使用不同的端口（“对称型”NAT）：外面的人因此无法对准这台设备。',
    refused: '中继拒绝了凭据（401）。',
    unreachable: '无法连到服务器的 STUN 和 TURN 端口。',
  },
  likely: '可能',
  unexplained: '双方都得到了公网地址，但彼此之间的检查都没有通过。很可能至少一方的路由器或防火墙只放行与它主动联系过的地址和端口。浏览器不会透露更多信息。',
  theirsUnknown: '对方没有告知它那边的情况。',
  whenRelayed: '经中继的通话和直连一样私密，只是绕了路。',
  events: {
    begun: '开始连接', connected: '已连接', disconnected: '收不到数据包', failed: '通路中断',
    'ice-restart': '寻找新的通路（ICE 重启）', 'ice-restart-asked': '请对方做 ICE 重启',
    'called-anew': '放弃原连接，改建新连接', 'call-wanted': '请对方建立新连接',
    'ice-restart-wanted': '对方请求 ICE 重启', 'ice-restart-by-hand': '手动 ICE 重启',
    'network-changed': '本设备换了网络', rebound: '服务器给了对方新的编号：仍是同一连接',
    negotiated: '就收发内容达成一致', path: '通路', held: '我们保持了通话', resumed: '我们恢复了通话', 'cut-off': '已断开：对方发送的消息过多',
  },
  pairHead: ['哪一方', '类型', '协议', '地址'],
  ours: '我方',
  theirs: '对方',
  inUse: '正在使用',
  gathered: '我方找到的',
  gatheringErrors: '寻找时失败的',
};
