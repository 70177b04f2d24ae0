/**
 * How packets go, and how well: what a tile says. The panel's words are loaded with it
 * (connection-panel.js).
 * @module
 */

export default {
  connection: { title: 'Connection' },
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
    open: 'Details of the connection',
    /** From none to four bars. */
    quality: ['Very bad connection', 'Bad connection', 'Fair connection', 'Good connection', 'Very good connection'],
  },
  /** @param {string} name */
  flooded: (name) => `The connection to ${name} was closed: it flooded us with messages. The others are not affected.`,
  held: 'On hold',
};
