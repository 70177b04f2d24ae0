/**
 * The page that compares a WebSocket with a data channel.
 * @module
 */

export default {
  title: 'WebRTC or WebSocket?',
  lead: 'The same bytes between two devices, once over a WebSocket through this server and once over a WebRTC data channel straight from browser to browser: measured side by side, on your own network.',
  pair: {
    title: 'Choose the two ends',
    hint: 'Open this link on another device. The measurement begins by itself.',
    copy: 'Copy link',
    copied: 'Link copied',
    alone: 'Both ends in this browser',
    aloneHint: 'The data channel then never leaves this machine, so it only shows what the way to the server and back costs.',
    waiting: 'Waiting for the other device…',
    qr: 'QR code of the link',
  },
  state: {
    connecting: 'Connecting the two browsers…',
    following: 'This device is the other end. The results are on the device that opened the page first.',
    failed: 'The two browsers found no way to each other, not even through the relay. /check can tell why.',
    gone: 'The other device has gone.',
    again: 'Measure again',
    stop: 'Stop',
    measuring: 'Measuring…',
    stopped: 'Stopped.',
    serverless: 'The server did not answer. Is this device online?',
  },
  /** @type {Record<string, string>} reasons that the server closes the WebSocket with */
  reasons: {
    'nobody-came': 'Nobody opened the link within ten minutes. Reload the page for a new one.',
    'used-up': 'This pair has used up what the server gives one comparison. Reload the page for another.',
    stalled: 'One device took no more data, so the server ended the comparison.',
    refused: 'The server refused the comparison: too many run at the moment. Try again in some minutes.',
  },
  ways: {
    socket: 'WebSocket through the server',
    channel: 'Data channel, reliable',
    loose: 'Data channel, unordered, no retransmission',
  },
  path: {
    direct: 'The data channel went straight from machine to machine.',
    nat: 'The data channel went straight, through a router that translates addresses.',
    relay: 'There was no direct way: the data channel went through this server’s relay, so both took the same detour.',
    same: 'Both ends were in one browser: the data channel never left this machine.',
  },
  results: {
    title: 'Results',
    trips: 'Round trips',
    tripsPlot: 'Round-trip time of every message over the time of the measurement',
    sharePlot: 'Share of the messages that were answered within so many milliseconds',
    flows: 'Throughput',
    flowsPlot: 'Throughput of each way in each direction',
    busy: 'Round trips while the way is full',
    way: 'Way',
    median: 'Median',
    p95: '95 %',
    jitter: 'Jitter',
    lost: 'Lost',
    away: 'from here',
    back: 'to here',
    copy: 'Copy as JSON',
    copied: 'Copied',
    copyFailed: 'Could not copy',
    /** @param {string} ms */
    ms: (ms) => `${ms} ms`,
    /** @param {string} figure */
    rate: (figure) => `${figure} Mbit/s`,
  },
  verdict: {
    /** @param {string} channel @param {string} socket @param {string} times */
    faster: (channel, socket, times) => `A message over the data channel is back after ${channel}, through the server after ${socket}: ${times} times as fast.`,
    /** @param {string} channel @param {string} socket @param {string} times */
    slower: (channel, socket, times) => `A message through the server is back after ${socket}, over the data channel after ${channel}: here the WebSocket is ${times} times as fast.`,
    /** @param {string} channel @param {string} socket */
    even: (channel, socket) => `Round trips are about the same: ${channel} over the data channel, ${socket} through the server.`,
    /** @param {string} times */
    wider: (times) => `The data channel carried ${times} times as much per second.`,
    /** @param {string} times */
    narrower: (times) => `The WebSocket carried ${times} times as much per second.`,
    equal: 'Both carried about as much per second.',
    /** @param {string} busy @param {string} idle */
    loaded: (busy, idle) => `While the data channel was full, its round trips took ${busy} instead of ${idle}.`,
  },
  meaning: {
    title: 'Which one to use',
    socket: 'A WebSocket is right when the server is the one you talk to, or when many read what few say: it is simple, works through every proxy, and arrives in order. Between two browsers each message goes up to the server and down again, and the server sees all of it and pays for it.',
    channel: 'A data channel is right between two browsers: the way is as short as the network allows, encrypted end to end, and the server carries nothing. It takes a moment to connect and now and then needs a relay.',
    loose: 'Only a data channel can be told not to wait for what was lost. For positions in a game or anything that is stale when late, that is what counts.',
  },
};
