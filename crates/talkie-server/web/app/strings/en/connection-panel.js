/**
 * The connection panel; loaded with it.
 * @module
 */

export default {
  nobody: 'Nobody else is here yet. Once somebody is, this shows how the packets go.',
  peer: 'Connection to',
  now: 'Now',
  way: 'The way',
  why: 'Why relayed?',
  charts: 'The last minutes',
  happened: 'What happened',
  details: 'Candidates and pairs',
  pause: 'Pause',
  goOn: 'Go on',
  chart: 'Charts',
  table: 'Table',
  restart: 'Find a new way (ICE restart)',
  restarted: 'A new way is being looked for.',
  notNow: 'Not now: the server cannot be reached, or an agreement is under way.',
  explain: 'Explain the SDP',
  save: 'Save as JSON',
  withAddresses: 'With IP addresses',
  withAddressesHint: 'Without them the file says nothing about where people are. It never has names.',
  units: { kbps: 'kbit/s', ms: 'ms', percent: '%', fps: 'fps', lines: 'lines' },
  figures: {
    bitrate: 'Bitrate', rtt: 'Round-trip time', loss: 'Loss', buffer: 'Jitter buffer', frames: 'Frames', lines: 'Resolution', jitter: 'Jitter',
    received: 'Received', sent: 'Sent', time: 'Time', camera: 'Camera', screen: 'Screen', sound: 'Sound', available: 'Can be sent', limited: 'Limited by', freezes: 'Freezes',
  },
  /** @param {string} way received or sent @param {string} what */
  of: (way, what) => `${way}: ${what}`,
  /** @param {string} what received or sent @param {string} value */
  pair: (what, value) => `${what} ${value}`,
  none: '–',
  /** @param {number} seconds */
  ago: (seconds) => (seconds === 0 ? 'now' : seconds < 60 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`),
  limitation: {
    none: 'nothing', cpu: 'this computer (CPU)', bandwidth: 'the network (bandwidth)', other: 'something else', unknown: 'this browser does not tell',
  },
  ways: {
    none: 'No way at present.',
    direct: 'Straight from machine to machine, in one network or with public addresses.',
    nat: 'Straight, through at least one router that translates addresses (NAT).',
    relay: 'Through this server’s relay, encrypted end to end: the server cannot look inside.',
    relayUdp: 'We reach the relay over UDP: the quickest leg.',
    relayTcp: 'We reach the relay over TCP: lost packets hold up those behind them.',
    relayTls: 'We reach the relay over TLS, like a web page: it gets through nearly everywhere, but lost packets hold up those behind them.',
    relayTheirs: 'The relay is the other side’s; we reach it straight.',
  },
  here: 'On this side:',
  /** @param {string} name */
  there: (name) => `${name} tells of the other side:`,
  reasons: {
    policy: 'The address says ?relay: only the relay may be used.',
    leg: 'The address says ?transport: only one leg of the relay may be used.',
    'no-udp': 'UDP seems to be blocked: no address came back from STUN, and the relay was reached over TCP or TLS only. Ask for UDP 3478 to be let out.',
    'no-reflexive': 'No public address was learnt: STUN over UDP did not answer. Probably a firewall lets UDP out to nobody, or to few.',
    symmetric: 'The router seems to give every destination another port (“symmetric” NAT): then nobody outside can aim at this machine.',
    refused: 'The relay refused the credentials (401).',
    unreachable: 'The server’s STUN and TURN ports could not be reached.',
  },
  likely: 'likely',
  unexplained: 'Both sides learnt public addresses, yet no check between them got through. Probably at least one router or firewall lets in only what it was asked from exactly there. No browser tells more than that.',
  theirsUnknown: 'The other side has not told how it is there.',
  whenRelayed: 'A relayed call is as private as a direct one; it only takes a detour.',
  events: {
    begun: 'Began to connect', connected: 'Connected', disconnected: 'Packets stopped coming', failed: 'The way failed',
    'ice-restart': 'Looked for a new way (ICE restart)', 'ice-restart-asked': 'Asked the other side for an ICE restart',
    'called-anew': 'Gave the connection up for a new one', 'call-wanted': 'Asked the other side for a new connection',
    'ice-restart-wanted': 'The other side asked for an ICE restart', 'ice-restart-by-hand': 'ICE restart by hand',
    'network-changed': 'This device changed networks', rebound: 'The peer is known to the server by a new id: same connection',
    negotiated: 'Agreed on what is sent', path: 'Way', held: 'We held the call', resumed: 'We resumed', 'cut-off': 'Cut off: flooded us with messages',
  },
  pairHead: ['Side', 'Kind', 'Protocol', 'Address'],
  ours: 'ours',
  theirs: 'theirs',
  inUse: 'In use',
  gathered: 'Found on this side',
  gatheringErrors: 'Failed while looking',
};
