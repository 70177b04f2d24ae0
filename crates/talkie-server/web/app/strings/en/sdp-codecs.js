/**
 * What the lines about codecs, their settings and their feedback mean (/sdp).
 * @module
 */

export default {
  /** @param {string} payload @param {string} name @param {string} clock @param {string} channels */
  codec: (payload, name, clock, channels) => `Payload type ${payload} is ${name}, clock ${Number(clock).toLocaleString('en')} Hz${channels && channels !== '1' ? `, ${channels} channels` : ''}.`,
  /** @param {string} name @param {string} payload */
  rtxFor: (name, payload) => `Retransmissions of ${name} (${payload}).`,
  codecs: {
    opus: 'Speech and music at 6 to 510 kbit/s; all of WebRTC has it. It is always announced as 48 kHz stereo.',
    red: 'Redundancy: packets carry earlier ones again, against loss.',
    ulpfec: 'Forward error correction: lost packets are computed from others.',
    'flexfec-03': 'Flexible forward error correction, over several streams.',
    g722: 'Telephone codec in wideband. The clock says 8000 for historical reasons; it is 16 kHz.',
    pcmu: 'G.711 µ-law: the telephone of North America and Japan, 64 kbit/s.',
    pcma: 'G.711 A-law: the telephone elsewhere, 64 kbit/s.',
    cn: 'Comfort noise in pauses.',
    'telephone-event': 'The keys of a telephone (DTMF).',
    vp8: 'Video; all of WebRTC has it.',
    vp9: 'Video, about a third smaller than VP8.',
    h264: 'Video, decoded in hardware nearly everywhere.',
    h265: 'Video (HEVC), in hardware only.',
    av1: 'Video, the smallest and the most work.',
    rtx: 'Retransmission of lost packets.',
  },
  /** @param {string} name */
  parametersOf: (name) => `Settings of ${name}:`,
  parameters: {
    /** @param {string} key @param {string} value */
    other: (key, value) => (value ? `${key} = ${value}.` : `${key}.`),
    /** @param {string} id @param {string} profile @param {string} level */
    h264: (id, profile, level) => `profile-level-id ${id} is profile ${profile}, level ${level}.`,
    /** @param {string} name @param {string} payload */
    apt: (name, payload) => `retransmits ${name} (${payload}).`,
    /** @param {string} range */
    events: (range) => `keys ${range} (0–9, *, #, A–D are 0–15).`,
    /** @param {string} names @param {number} generations */
    red: (names, generations) => `carries ${names}, up to ${generations} copies in a packet.`,
    byCodec: {
      /** @param {string} v */
      'vp9 profile-id': (v) => `profile ${v}: ${{ 0: '8 bits, 4:2:0', 1: '8 bits, 4:2:2 or 4:4:4', 2: '10 or 12 bits, 4:2:0', 3: '10 or 12 bits, 4:2:2 or 4:4:4' }[v] ?? 'unknown'}.`,
      /** @param {string} v */
      'av1 profile': (v) => `profile ${v}: ${{ 0: 'Main, 4:2:0', 1: 'High, 4:4:4', 2: 'Professional' }[v] ?? 'unknown'}.`,
      /** @param {string} v */
      'av1 level-idx': (v) => `level ${2 + Math.floor(Number(v) / 4)}.${Number(v) % 4}, the largest picture and rate that is taken.`,
      /** @param {string} v */
      'av1 tier': (v) => `${v === '0' ? 'main' : 'high'} tier.`,
      /** @param {string} v */
      'h265 profile-id': (v) => `profile ${{ 1: 'Main', 2: 'Main 10' }[v] ?? v}.`,
      /** @param {string} v */
      'h265 level-id': (v) => `level ${(Number(v) / 30).toFixed(1)}.`,
    },
    any: {
      /** @param {string} v */
      minptime: (v) => `at least ${v} ms of sound in a packet.`,
      /** @param {string} v */
      maxptime: (v) => `at most ${v} ms of sound in a packet.`,
      /** @param {string} v */
      ptime: (v) => `${v} ms of sound in a packet.`,
      /** @param {string} v @returns {string} */
      useinbandfec: (v) => (v === '1' ? 'in-band error correction: a packet carries a small copy of the one before.' : 'no in-band error correction.'),
      /** @param {string} v @returns {string} */
      usedtx: (v) => (v === '1' ? 'hardly any packets in silence (DTX).' : 'packets also in silence.'),
      /** @param {string} v @returns {string} */
      stereo: (v) => (v === '1' ? 'this side would like stereo.' : 'this side prefers mono.'),
      /** @param {string} v @returns {string} */
      'sprop-stereo': (v) => (v === '1' ? 'this side is likely to send stereo.' : 'this side is likely to send mono.'),
      /** @param {string} v */
      maxplaybackrate: (v) => `plays up to ${v} Hz; more would be wasted.`,
      /** @param {string} v */
      'sprop-maxcapturerate': (v) => `records up to ${v} Hz.`,
      /** @param {string} v */
      maxaveragebitrate: (v) => `at most ${v} bit/s on average.`,
      /** @param {string} v @returns {string} */
      cbr: (v) => (v === '1' ? 'constant bit rate.' : 'variable bit rate.'),
      /** @param {string} v @returns {string} */
      'packetization-mode': (v) => (v === '1' ? 'mode 1: large pictures may be split over packets.' : v === '0' ? 'mode 0: each slice must fit into a packet.' : `mode ${v}: interleaved.`),
      /** @param {string} v @returns {string} */
      'level-asymmetry-allowed': (v) => (v === '1' ? 'the two directions may have different levels.' : 'both directions have the same level.'),
      /** @param {string} v */
      'max-fs': (v) => `frames of at most ${v} macroblocks of 16×16 pixels.`,
      /** @param {string} v */
      'max-fr': (v) => `at most ${v} frames a second.`,
      /** @param {string} v */
      'rtx-time': (v) => `packets are kept ${v} ms for retransmission.`,
      /** @param {string} v */
      'repair-window': (v) => `repairs within ${Number(v) / 1e6} s.`,
      /** @param {string} v */
      'x-google-start-bitrate': (v) => `libwebrtc starts at ${v} kbit/s.`,
      /** @param {string} v */
      'x-google-max-bitrate': (v) => `libwebrtc sends at most ${v} kbit/s.`,
      /** @param {string} v */
      'x-google-min-bitrate': (v) => `libwebrtc sends at least ${v} kbit/s.`,
    },
  },
  /** @param {string} name @param {string} what */
  feedbackFor: (name, what) => `Feedback for ${name}: ${what}`,
  feedback: {
    nack: 'lost packets are named, to be sent again.',
    'nack pli': 'the receiver can ask for a new key frame when a picture is lost.',
    'nack sli': 'lost parts of a picture are named.',
    'nack rpsi': 'the receiver says which picture it has.',
    'ccm fir': 'the receiver can demand a key frame, for instance for a newcomer.',
    'ccm tmmbr': 'the receiver can limit the bit rate.',
    'goog-remb': 'the receiver says what bit rate it reckons possible (REMB, an old draft).',
    'transport-cc': 'arrival times of all packets come back, so that the sender can estimate the bandwidth.',
    'ack ccfb': 'congestion feedback as in RFC 8888.',
    lntf: 'the receiver says what it has lost (experimental).',
    rrtr: 'the receiver’s reference time.',
  },
};
