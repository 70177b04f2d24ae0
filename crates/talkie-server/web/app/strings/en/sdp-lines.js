/**
 * What the lines of an SDP mean (/sdp). Loaded with the page.
 * @module
 */
import codecs from './sdp-codecs.js';

export default {
  ...codecs,
  noLine: 'This is no SDP line: a line is one letter, “=” and a value.',
  /** @param {string} name */
  unknown: (name) => `Unknown attribute “${name}”. Who does not know an attribute ignores it.`,
  /** @param {string} value */
  badValue: (value) => `“${value}” has no meaning known here.`,
  badCandidate: 'This candidate cannot be read: foundation, component, protocol, priority, address, port and “typ” are expected.',
  allCodecs: 'all codecs',
  types: {
    v: 'Version of SDP; there is only 0.',
    i: 'A title for people.',
    u: 'Where to read more about the session.',
    e: 'An e-mail address of whoever is responsible.',
    p: 'A telephone number of whoever is responsible.',
    r: 'Times at which the session repeats.',
    z: 'Time zone adjustments for those times.',
    k: 'An encryption key; obsolete and never to be used.',
  },
  noName: 'No session name: WebRTC has none.',
  /** @param {string} name */
  name: (name) => `Name of the session: ${name}.`,
  always: 'No start and no end: the session lasts as long as it lasts.',
  /** @param {string} times */
  times: (times) => `Start and end of the session: ${times}.`,
  /** @param {string} kind @param {string} amount @returns {string} */
  bandwidth: (kind, amount) => (kind === 'TIAS' ? `At most ${amount} bit/s of media.` : kind === 'AS' ? `At most ${amount} kbit/s, packet headers included.` : `Bandwidth of kind ${kind}: ${amount}.`),
  /** @param {string} session @param {string} version */
  origin: (session, version) => `Who made this: session ${session}, version ${version}. The version grows with each new description of the same connection.`,
  originFirefox: 'The name shows that Firefox wrote it.',
  originHidden: 'The address is a placeholder, so that it gives nothing away.',
  connectionLater: 'No address here: ICE candidates say where packets go.',
  /** @param {string} family @param {string} address */
  connection: (family, address) => `Default address ${address} (${family}) for those without ICE. WebRTC goes by the candidates.`,
  kinds: { audio: 'sound', video: 'pictures', application: 'data channels', text: 'text', message: 'messages' },
  /** @param {string} kind */
  media: (kind) => `A media section for ${kind}.`,
  mediaPortZero: 'Port 0: refused or ended, unless “bundle-only” follows.',
  mediaPortNine: 'Port 9 is a placeholder: candidates come later or separately.',
  /** @param {number} port */
  mediaPort: (port) => `Port ${port} is that of the default candidate.`,
  mediaData: 'SCTP over DTLS, with as many data channels as wanted inside.',
  /** @param {string} names */
  mediaSecure: (names) => `RTP encrypted with keys from DTLS (SRTP), with feedback.${names ? ` Codecs in order of preference: ${names}.` : ''}`,
  /** @param {string} protocol @param {string} names */
  mediaOther: (protocol, names) => `Protocol ${protocol}.${names ? ` Formats: ${names}.` : ''}`,
  attributes: {
    /** @param {string} mids @param {boolean} all */
    bundle: (mids, all) => `The sections ${mids} share one transport: one set of ports, one ICE and one DTLS connection.${all ? '' : ' Sections not named here have transports of their own.'}`,
    bundleNone: 'An empty bundle: no sections share a transport.',
    /** @param {string} mids */
    lipSync: (mids) => `Sections ${mids} are to be played in step (lip sync).`,
    /** @param {string} kind @param {string} mids */
    group: (kind, mids) => `Sections ${mids} form a group of kind ${kind}.`,
    /** @param {string} streams */
    'msid-semantic': (streams) => `Streams (WebRTC media streams): ${streams === '*' || streams === '' ? 'named by the msid lines' : streams}. An old line that browsers still write.`,
    'ice-lite': 'This side only answers connectivity checks: a server with a public address.',
    'ice-ufrag': 'User name of the ICE checks. A new one together with a new password restarts ICE.',
    'ice-pwd': 'Password of the ICE checks: it shows that a check comes from the other side. No long-term secret.',
    /** @param {string} ms */
    'ice-pacing': (ms) => `At least ${ms} ms between new connectivity checks.`,
    'ice-mismatch': 'The other side’s default address was none of its candidates: something on the way rewrote the SDP.',
    'remote-candidates': 'The other side’s candidates that ICE has chosen.',
    'end-of-candidates': 'No more candidates will follow for this section.',
    /** @param {string} hash @param {boolean} weak */
    fingerprint: (hash, weak) => `${hash} of the certificate that this side shows in DTLS. Whoever could change this line unnoticed could listen in.${weak ? ' SHA-1 is too weak.' : ''}`,
    'tls-id': 'Names the DTLS association: a new value asks for a new one.',
    /** @param {string} value @returns {string} */
    connection: (value) => (value === 'existing' ? 'Keep the DTLS association that there is.' : 'Make a new DTLS association.'),
    /** @param {string} mid */
    mid: (mid) => `Name of this section: “${mid}”. Offer and answer, bundle and packets refer to it.`,
    'bundle-only': 'Only inside a bundle: who cannot bundle must refuse this section. That is why its port is 0.',
    'extmap-allow-mixed': 'One-byte and two-byte header extensions may be mixed in one stream.',
    /** @param {string} value */
    rtcp: (value) => `Where RTCP would go without rtcp-mux: port ${value.split(' ')[0]}${value.startsWith('9 ') ? ', a placeholder' : ''}.`,
    'rtcp-mux': 'RTP and RTCP share one port.',
    'rtcp-mux-only': 'RTCP comes on the port of RTP and nowhere else.',
    'rtcp-rsize': 'Small RTCP packets without the full report are welcome: feedback comes sooner.',
    /** @param {boolean} rtt */
    'rtcp-xr': (rtt) => `Extended RTCP reports${rtt ? ': a receiver that sends nothing can measure the round-trip time, too' : ''}.`,
    /** @param {string} stream @param {string} track */
    msid: (stream, track) => `${stream === '-' ? 'The track belongs to no stream' : `The track belongs to stream ${stream}`}${track ? `, its id is ${track}` : ''}. Tracks of one stream are played in step.`,
    sendrecv: 'Media goes both ways.',
    sendonly: 'This side only sends.',
    recvonly: 'This side only receives.',
    inactive: 'No media for now, in neither direction; the section stays set up.',
    /** @param {string} port */
    'sctp-port': (port) => `SCTP port ${port} inside the DTLS connection; no port of the network.`,
    /** @param {number|null} bytes */
    'max-message-size': (bytes) => (bytes === null ? 'Messages of any size are taken.' : `This side takes data channel messages of up to ${bytes.toLocaleString('en')} bytes.`),
    sctpmap: 'SCTP port and number of streams in the form of an early draft; replaced by sctp-port.',
    /** @param {string} value */
    dcmap: (value) => `A data channel agreed on in the SDP: ${value}.`,
    /** @param {string} ms */
    ptime: (ms) => `Wished: ${ms} ms of sound in a packet.`,
    /** @param {string} ms */
    maxptime: (ms) => `At most ${ms} ms of sound in a packet.`,
    /** @param {string} fps */
    framerate: (fps) => `At most ${fps} frames a second.`,
    imageattr: 'Picture sizes that can be sent and received.',
    /** @param {string} what */
    content: (what) => `What is to be seen: ${what}.`,
    /** @param {string} label */
    label: (label) => `A label for applications: ${label}.`,
    crypto: 'A key for SRTP in the open (SDES). WebRTC forbids it: whoever sees the SDP can listen in.',
    identity: 'Who this is, vouched for by an identity provider.',
    /** @param {string} tool */
    tool: (tool) => `Made by ${tool}.`,
    /** @param {string} flag */
    'x-google-flag': (flag) => `libwebrtc’s own switch: ${flag}${flag === 'conference' ? ' (old simulcast for screens)' : ''}.`,
  },
  setup: {
    actpass: 'DTLS: this side can be client or server; the answer decides. Every offer says so.',
    active: 'DTLS: this side is the client and begins the handshake.',
    passive: 'DTLS: this side is the server and waits for the handshake.',
    holdconn: 'DTLS: no connection for now.',
  },
  iceOptions: {
    trickle: 'Candidates may follow one by one (trickle ICE).',
    ice2: 'ICE as in RFC 8445.',
    renomination: 'The selected pair may be changed later on (renomination, a draft).',
    'google-ice': 'Google’s early form of ICE.',
  },
  candidate: {
    types: {
      host: 'An address of the machine itself.',
      srflx: 'The address that a STUN server saw: the outside of a NAT.',
      prflx: 'An address that only the checks found.',
      relay: 'An address on a TURN relay, which passes packets on.',
    },
    /** @param {string} protocol @param {string} address @param {number} port */
    address: (protocol, address, port) => `${protocol} ${address}, port ${port}.`,
    kinds: {
      mdns: 'A random name (mDNS) hides the address from the other side.',
      loopback: 'Loopback: reaches only this very machine.',
      linkLocal: 'Link-local: reaches only the same wire.',
      private: 'A private address: reached only in the same network.',
      carrier: 'Inside a carrier’s NAT.',
      public: '',
    },
    tcp: {
      active: 'TCP active: opens connections itself, hence the placeholder port 9.',
      passive: 'TCP passive: waits for connections.',
      so: 'TCP simultaneous open.',
    },
    /** @param {number} component */
    component: (component) => (component === 1 ? '' : component === 2 ? 'For RTCP, in case it is not multiplexed.' : `Component ${component}.`),
    /** @param {number} priority @param {number} type @param {number} local */
    priority: (priority, type, local) => `Priority ${priority}: type ${type}, local ${local}.`,
    /** @param {string} address @param {number} port */
    related: (address, port) => `Found from ${address}:${port}.`,
  },
  /** @param {string} id */
  extension: (id) => `RTP header extension ${id}:`,
  /** @param {string} direction */
  extensionDirection: (direction) => `(${direction})`,
  /** @param {string} uri */
  unknownExtension: (uri) => `not known here (${uri}).`,
  extensions: {
    mid: 'the section’s mid, so that bundled packets find their section.',
    rid: 'the rid of a simulcast layer.',
    repairedRid: 'the rid of the layer that a retransmission repairs.',
    audioLevel: 'how loud the packet is, so that speakers can be shown without decoding.',
    csrcAudioLevel: 'how loud each contributor to a mix is.',
    toffset: 'how long the packet waited before it was sent, for the receiver’s jitter.',
    encrypt: 'header extensions encrypted as well.',
    frameMarking: 'where a frame begins and ends, for servers that cannot decode it.',
    orientation: 'how the camera is turned.',
    absSendTime: 'when the packet was sent, for bandwidth estimation by the receiver (REMB).',
    absCaptureTime: 'when it was captured, for synchronisation and latency over several hops.',
    transportCc: 'a number for each packet of the transport, for bandwidth estimation by the sender.',
    playoutDelay: 'how long at least and at most to wait before playing.',
    contentType: 'whether it is a camera or a screen.',
    timing: 'times of capture, encoding and sending, for measurements.',
    colourSpace: 'the colour space, for HDR.',
    layers: 'which simulcast and SVC layers are sent, with their sizes and rates.',
    frameId: 'a number of the frame, for measurements.',
    corruption: 'samples of the picture, by which the receiver notices damage.',
    descriptor: 'which frames depend on which, so that a server can forward layers without decoding.',
  },
  /** @param {string} ssrc */
  source: (ssrc) => `Stream ${ssrc} (SSRC):`,
  sources: {
    /** @param {string} v */
    cname: (v) => `belongs to ${v}; streams with the same name share a clock.`,
    /** @param {string} v */
    msid: (v) => `stream and track ${v}, in the old form.`,
    /** @param {string} v */
    mslabel: (v) => `stream ${v} (obsolete).`,
    /** @param {string} v */
    label: (v) => `track ${v} (obsolete).`,
  },
  sourceGroups: {
    /** @param {string} first @param {string} others */
    FID: (first, others) => `${others} carries the retransmissions of ${first}.`,
    /** @param {string} first @param {string} others */
    SIM: (first, others) => `Simulcast in the old form: ${first}, ${others} are sizes of the same picture.`,
    /** @param {string} first @param {string} others */
    'FEC-FR': (first, others) => `${others} carries the error correction of ${first}.`,
    /** @param {string} first @param {string} others */
    FEC: (first, others) => `${others} carries the error correction of ${first} (obsolete form).`,
  },
  /** @param {string} rid @param {string} direction @param {string} restrictions */
  rid: (rid, direction, restrictions) => `Layer “${rid}” is ${direction === 'send' ? 'sent' : 'received'} by this side${restrictions ? `, restricted to ${restrictions}` : ''}.`,
  /** @param {string} direction @param {string[]} layers */
  simulcast: (direction, layers) =>
    `${direction === 'send' ? 'Sends' : 'Receives'} the same picture in ${layers.length} versions at once (simulcast): ${layers.map((layer) => layer.split(',').join(' or ').replaceAll('~', 'paused ')).join(', ')}.`,
};
