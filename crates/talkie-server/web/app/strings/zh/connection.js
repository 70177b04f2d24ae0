/**
 * How packets go, and how well: what a tile says. The panel's words are loaded with it
 * (connection-panel.js).
 * @module
 */

/** @type {typeof import('../en/connection.js').default} */
export default {
  connection: { title: '连接' },
  badge: {
    direct: '直连',
    nat: '穿过 NAT',
    relay: '经中继',
    /** @param {string} via */
    relayVia: (via) => `经中继 · ${via.toUpperCase()}`,
    /** @param {number} ms */
    rtt: (ms) => `${ms} 毫秒`,
    directHint: '数据包在两台设备之间直接传送。',
    natHint: '数据包直接传送，途中经过做地址转换的路由器。',
    relayHint: '没有找到直连通路：由本服务器转发加密的数据包。',
    open: '连接详情',
    /** From none to four bars. */
    quality: ['连接极差', '连接较差', '连接一般', '连接良好', '连接非常好'],
  },
  /** @param {string} name */
  flooded: (name) => `已断开与 ${name} 的连接：对方不断发送大量消息。其他人不受影响。`,
  held: '已保持',
};
