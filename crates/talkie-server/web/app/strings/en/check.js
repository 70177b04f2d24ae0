/**
 * /check: devices, the network, and what the browser can do.
 * @module
 */

/** The legs by name. @type {Record<string, string>} */
const LEGS = { stun: 'STUN', udp: 'TURN over UDP', tcp: 'TURN over TCP', tls: 'TURN over TLS' };

export default {
  title: 'Check this device and network',
  lead: 'See in a few seconds whether calls will work from here, which way they will go, and what to ask for if they don’t.',
  verdict: 'Verdict',
  again: 'Check again',
  legs: LEGS,
  headlines: {
    checking: () => 'Checking your network…',
    offline: () => 'You are offline. Connect to a network and check again.',
    noSignaling: () => 'This server cannot be reached by WebSocket. A proxy or an extension may be in the way: no call can be arranged.',
    allWorks: () => 'All is well: the relay can be reached in every way, and calls will go the shortest.',
    udpWorks: () => 'Calls will work: the relay can be reached over UDP. Not every other way to it works, see below.',
    /** @param {string} via */
    relayOver: (via) => `The relay works over ${via}. Calls will work; no relay over UDP is configured.`,
    /** @param {string} via @param {string} port @param {string} host */
    udpBlocked: (via, port, host) => `TURN over ${via} works; UDP is blocked. Calls will be relayed over ${via}, which is slower and stutters more. Ask your network’s administrator to allow UDP port ${port} to ${host}.`,
    /** @param {string} via */
    udpRefused: (via) => `The relay works over ${via}, but refused over UDP, see below. Calls will be relayed over ${via}.`,
    /** @param {string} via */
    udpImpossible: (via) => `The relay works over ${via}. This browser does not try it over UDP here, see below.`,
    credentials: () => 'The relay answers but refuses the credentials. Calls that need it will fail.',
    busy: () => 'The relay answers but has no room. Calls that need it will fail until somebody hangs up.',
    denied: () => 'The relay answers but refuses to relay, see below.',
    notHere: () => 'This browser does not use the relay at this address, see below. Open the page by the server’s name or its address in the network.',
    directOnly: () => 'The relay cannot be reached. Direct calls will work with many, but not from behind every firewall.',
    localOnly: () => 'Neither relay nor STUN server can be reached: calls will only work inside your own network. A firewall seems to block them.',
    stunOnly: () => 'Direct calls will work with many. There is no relay for those behind strict firewalls.',
    hostOnly: () => 'Only addresses of your own network were found: calls will work inside it, and hardly beyond.',
    nothing: () => 'No address was found for calls. WebRTC seems to be switched off, or an extension blocks it.',
  },
  findings: {
    noSignaling: () => 'This server cannot be reached by WebSocket: a proxy or an extension may be in the way.',
    insecure: () => 'This page did not come securely: browsers give it no camera and no microphone. Open it by https.',
    loopbackPage: () => 'You opened this page on the server itself (localhost). What works here need not work for others: open it by the address that they use.',
    natNone: () => 'There is no NAT between you and this server. If it is on the Internet, direct calls work with nearly everybody.',
    natSteady: () => 'Your router keeps one port for all (endpoint-independent mapping, cone NAT): direct calls work with most.',
    natByAddress: () => 'Your router uses another port for each address that it talks to (address-dependent mapping). Direct calls only work with those whose router is less strict; calls with the others need the relay.',
    natSymmetric: () => 'Your router gives each connection another port (symmetric NAT). Direct calls only work with those whose router is less strict; calls with the others, strict or symmetric themselves, need the relay.',
    natHidden: () => 'What your router does with direct calls cannot be told: no UDP comes through to this server and back.',
    /** @param {string} port */
    natUnanswered: (port) => `You are behind a NAT. Of what kind cannot be told, because port ${port} of the server does not answer: a firewall may be in the way.`,
    natUnknown: () => 'You are behind a NAT. Of what kind, one STUN server cannot tell: test two at different addresses under “Test another server”.',
    serverInside: () => 'You reach the server by a private address: it is in your own network, so what the Internet would see cannot be told.',
    carrier: () => 'Your provider has a NAT of its own (addresses from 100.64.0.0/10). Calls from mobile networks are often like this, and may be relayed.',
    /** @param {string} count */
    exits: (count) => `You reach the Internet by ${count} different addresses: a VPN or several connections. When the VPN goes, calls reconnect.`,
    onlyLoopback: () => 'Only loopback addresses were found: this device seems to be in no network.',
    mdns: () => 'Your browser hides the addresses of your network until the page may use camera or microphone. Calls work all the same.',
    noHosts: () => 'Your browser shows no address of its own: a setting, an extension or a policy allows only proxied or relayed calls.',
    ipv6: () => 'IPv6 is available.',
    ipv6Local: () => 'IPv6 works only inside your network.',
    ipv6Hidden: () => 'Whether IPv6 is available cannot be told: the browser hides addresses.',
    noIpv6: () => 'No IPv6. Calls work without.',
    /** @param {string} leg @param {string} url */
    'leg:credentials': (leg, url) => `${LEGS[leg]}: the server answers, but user name or password are wrong or have expired (${url}).`,
    /** @param {string} leg @param {string} url @param {string} code */
    'leg:busy': (leg, url, code) => `${LEGS[leg]}: the server answers, but has no room for more (${code}, ${url}).`,
    /** @param {string} leg @param {string} url @param {string} code */
    'leg:denied': (leg, url, code) => `${LEGS[leg]}: the server answers, but refuses (error ${code}, ${url}).`,
    /** @param {string} leg @param {string} url */
    'leg:closed': (leg, url) => `${LEGS[leg]}: no connection came about (${url}). ${leg === 'tls' ? 'Nothing listens there, it speaks no TLS, or its certificate is not trusted; browsers don’t say which.' : 'Nothing listens on that port, or a firewall refuses.'}`,
    /** @param {string} leg @param {string} url */
    'leg:certificate': (leg, url) => `${LEGS[leg]}: the TLS connection failed (${url}). The server’s certificate is self-signed, and browsers don’t trust it for TURN even when you have accepted it for the page.`,
    /** @param {string} leg @param {string} url */
    'leg:silent': (leg, url) => `${LEGS[leg]}: no answer (${url}). A firewall swallows the packets, or no server is there.`,
    /** @param {string} leg @param {string} url */
    'leg:name': (leg, url) => `${LEGS[leg]}: the name of the server is unknown here (${url}).`,
    /** @param {string} leg @param {string} url */
    'leg:needsName': (leg, url) => `${LEGS[leg]}: Firefox uses TURN over TLS only with a host name, not with an address (${url}). Open this page by the server’s name.`,
    /** @param {string} leg @param {string} url */
    'leg:loopback': (leg, url) => `${LEGS[leg]}: Firefox does not relay through this very machine (${url}).`,
    /** @param {string} leg @param {string} url */
    'leg:blockedPort': (leg, url) => `${LEGS[leg]}: browsers forbid this port (${url}).`,
    /** @param {string} leg @param {string} url */
    'leg:invalid': (leg, url) => `${LEGS[leg]}: the browser refuses this address (${url}).`,
    /** @param {string} leg @param {string} url */
    'leg:nothing': (leg, url) => `${LEGS[leg]}: the browser gave up without a reason (${url}). The port may be one that browsers forbid.`,
  },
  outcomes: {
    works: 'Works', credentials: 'Wrong credentials', busy: 'No room', denied: 'Refused', closed: 'Not reachable', certificate: 'Certificate not trusted',
    silent: 'No answer', name: 'Unknown name', needsName: 'Needs a host name', loopback: 'Not via this machine', blockedPort: 'Port forbidden', invalid: 'Not a valid URL', nothing: 'No result',
    pending: 'Testing…',
  },
  servers: 'Servers',
  serversHint: 'Each address of this server’s STUN and relay, tried by itself.',
  column: { url: 'Server', leg: 'Way', outcome: 'Result', time: 'Time', type: 'Type', protocol: 'Protocol', address: 'Address', port: 'Port', priority: 'Priority', foundation: 'Foundation', server: 'From server' },
  /** @param {number} ms */
  ms: (ms) => `${ms} ms`,
  noServers: 'The server offers no STUN or TURN.',
  form: {
    title: 'Test another server',
    url: 'STUN or TURN URL',
    placeholder: 'turn:turn.example.org:3478?transport=udp',
    username: 'User name',
    credential: 'Password',
    test: 'Test it',
    reset: 'Back to this server’s own',
    faults: {
      badUrl: 'A URL looks like stun:host:port, turn:host:port?transport=udp (or tcp), or turns:host:port.',
      noCredentials: 'TURN needs a user name and a password.',
      tooLong: 'User name and password may have 1024 characters.',
      tooMany: 'That is enough: up to 12 servers are tested at once.',
    },
    hint: 'Stays in this page: nothing is saved, and reports leave user names and passwords out.',
  },
  candidates: 'Candidates',
  candidatesHint: 'The addresses at which a call could reach you, as the browser finds them.',
  policy: 'Which candidates',
  policies: { all: 'All', relay: 'Relay only' },
  /** @param {number} candidates @param {number} errors */
  gathered: (candidates, errors) => `${candidates} ${candidates === 1 ? 'candidate' : 'candidates'}, ${errors} ${errors === 1 ? 'error' : 'errors'}.`,
  types: { host: 'host: this device', srflx: 'srflx: behind the NAT', prflx: 'prflx', relay: 'relay' },
  /** @param {number} type @param {number} local @param {number} component */
  parts: (type, local, component) => `type ${type}, local ${local}, component ${component}`,
  /** @param {string} via */
  relayVia: (via) => `relay over ${via.toUpperCase()}`,
  /** @param {number} code @param {string} text */
  error: (code, text) => `Error ${code}${text ? `: ${text}` : ''}`,
  /** What the codes mean. @type {Record<number, string>} */
  codes: {
    300: 'The server sends us to another one.',
    400: 'The server did not understand the request.',
    401: 'User name or password are wrong or have expired.',
    403: 'The server forbids it.',
    420: 'The server lacks something that the browser asked for.',
    437: 'The server knows another allocation from this port.',
    438: 'The nonce has expired; the browser tries again.',
    440: 'The server has no addresses of this family (IPv4 or IPv6).',
    441: 'The allocation belongs to another user.',
    442: 'The server relays no such protocol.',
    486: 'This user has too many allocations.',
    500: 'The server has an error of its own.',
    508: 'The server has no room.',
    701: 'No answer from the server on this interface. Alone it means little: a device tries all its addresses, IPv4 and IPv6.',
  },
  loopback: 'Test call',
  loopbackHint: 'The page calls itself through the relay, with a test picture and a tone, and measures the way: a few seconds, up to 16 MB.',
  way: 'Which way',
  direct: 'Direct, without the relay',
  start: 'Start the test call',
  cancel: 'Stop',
  phases: { connecting: 'Connecting…', pinging: 'Measuring round trips, loss and jitter…', filling: 'Measuring throughput…' },
  failed: {
    noConnection: 'No connection came about this way.',
    cancelled: 'Stopped.',
    closed: 'The connection broke.',
    other: 'The test call failed.',
  },
  done: 'Done.',
  results: { way: 'Way', connect: 'Set-up', rtt: 'Round trip (middle / 95 %)', pings: 'Pings lost', audio: 'Sound: loss / jitter', video: 'Picture: loss / jitter', rate: 'Throughput' },
  resultsTitle: 'Test calls so far',
  /** @param {string} rate @param {string} size */
  rate: (rate, size) => `${rate} Mbit/s (${size})`,
  none: '–',
  serverUnsaid: 'not told by this browser',
  /** @param {number} count @param {number} median @param {number} max */
  plot: (count, median, max) => `Round-trip times of ${count} pings: middle ${median.toFixed(1)} ms, longest ${max.toFixed(1)} ms.`,
  plotEmpty: 'Round-trip times will be drawn here.',
  devices: 'Devices',
  devicesHint: 'Nothing is recorded or sent. Your browser may ask for permission.',
  useDevices: 'Try camera and microphone',
  stopDevices: 'Switch them off',
  kinds: { camera: 'Cameras', mic: 'Microphones', speaker: 'Speakers' },
  /** @param {number} count */
  unnamed: (count) => `${count}, names hidden until permission is given`,
  noDevice: 'none found',
  permission: { camera: 'Camera permission', mic: 'Microphone permission', states: { granted: 'granted', denied: 'denied', prompt: 'will be asked for' }, unknown: 'the browser does not say' },
  context: 'Secure page',
  yes: 'yes',
  no: 'no',
  level: 'How loud the microphone is',
  capture: { camera: 'Picture', mic: 'Sound' },
  /** @param {number} width @param {number} height @param {number} rate */
  picture: (width, height, rate) => `${width} × ${height}, ${Math.round(rate)} frames/s`,
  /** @param {number} rate */
  sound: (rate) => `${rate / 1000} kHz`,
  capabilities: 'What this browser can do',
  feature: 'Feature',
  available: 'Available',
  missing: 'What it means',
  features: {
    secure: ['Secure page', 'No camera, microphone or encryption keys without it.'],
    devices: ['Camera and microphone', 'You can only watch and listen.'],
    screen: ['Sharing the screen', 'You can see others’ screens, but not share yours. Phones have this limit.'],
    speaker: ['Choice of speaker', 'Sound comes from the speaker that the system has chosen.'],
    codecChoice: ['Choice of codec', 'The browser picks the codec itself.'],
    simulcast: ['Simulcast', 'One size of picture for all. Calls here send one to each anyway.'],
    encodedTransform: ['Encoded transforms', 'No end-to-end encryption through media servers. Calls here have no media server.'],
    recording: ['Recording', 'A call cannot be recorded here.'],
    picture: ['Picture in picture', 'No small window above others.'],
    filePicker: ['Saving straight to a file', 'Received files take another way to the disk: as a download.'],
    privateFiles: ['Private file storage', 'Large files need one of the other ways to the disk.'],
    serviceWorker: ['Service worker', 'No start without network, and no streamed downloads.'],
    crypto: ['Web Crypto', 'Messages between browsers cannot be sealed from the server.'],
    wakeLock: ['Keeping the screen awake', 'The screen may go dark in a call.'],
    share: ['Sharing links by the system', 'Links are copied instead.'],
  },
  codecs: 'Codecs',
  codec: { kind: 'Kind', name: 'Codec', format: 'Format', sends: 'Sends', receives: 'Receives' },
  media: { audio: 'Sound', video: 'Picture' },
  report: 'Report',
  reportHint: 'For whoever helps you. User names and passwords are never in it.',
  addresses: 'Include my addresses',
  copyText: 'Copy as text',
  copyJson: 'Copy as JSON',
  copy: { done: 'Copied', failed: 'Could not copy' },
};
