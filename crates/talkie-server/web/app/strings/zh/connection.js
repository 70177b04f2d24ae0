/**
 * How packets go, and how well.
 * @module
 */

/** @type {typeof import('../en/connection.js').default} */
export default {
  badge: {
    direct: 'Direct',
    nat: 'Through NAT',
    relay: 'Relayed',
    /** @param {string} via */
    relayVia: (via) => `Relayed · ${via.toUpperCase()}`,
    /** @param {number} ms */
    rtt: (ms) => `${ms} ms`,
    directHint: 'Packets go straight from machine to machine.',
    natHint: 'Packets go straight, through a router that translates addresses.',
    relayHint: 'No direct way was found: this server passes the encrypted packets on.',
  },
  /** @param {string} name */
  flooded: (name) => `已断开与 ${name} 的连接：对方不断发送大量消息。其他人不受影响。`,
  held: '已保持',
};
