/**
 * Settings, Sending; loaded with the tab.
 * @module
 */

export default {
  budget: 'Use of my uplink',
  budgetHint: 'For all the others together: in a call everybody sends to everybody. Sound comes first, then a shared screen, then the camera.',
  /** @param {string} rate */
  automatic: (rate) => `Automatic (up to ${rate})`,
  /** @param {string} rate */
  upTo: (rate) => `Up to ${rate}`,
  /** @param {string} mbit */
  mbit: (mbit) => `${mbit} Mbit/s`,
  /** @param {number} kbit */
  kbit: (kbit) => `${kbit} kbit/s`,
  lines: 'Camera resolution',
  linesHint: 'A smaller picture costs less of the network and of this computer. With many others in the call it gets smaller still.',
  asCamera: 'As the camera gives it',
  degradation: 'When the network is too slow',
  degradationHint: 'For the camera. A shared screen keeps its sharpness.',
  balanced: 'Give up a little of both',
  framerate: 'Keep movement smooth, blur the picture',
  resolution: 'Keep the picture sharp, let it stutter',
  codec: 'Preferred video codec',
  codecHint: 'What the others’ browsers are asked to send you. One that lacks it sends you what it has. VP9 and AV1 need less of the network and more of the computers.',
  codecs: { auto: 'As the browser likes', vp8: 'VP8', vp9: 'VP9', h264: 'H.264', av1: 'AV1' },
  /** @param {number} people @param {string} rate @param {number} lines */
  share: (people, rate, lines) => `Now: ${people === 1 ? 'the other person gets' : `each of the ${people} others gets`} your camera with up to ${lines} lines and ${rate}.`,
  /** @param {number} people */
  shareNothing: (people) => `Now: for ${people} others this is too little for a picture. Only your sound goes out.`,
};
