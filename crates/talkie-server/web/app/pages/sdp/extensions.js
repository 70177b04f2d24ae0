/**
 * RTP header extensions by their URI, with the key of the words that tell what they are for. Pure.
 * @module
 */

/** @type {Record<string, keyof typeof import('../../strings/en/sdp-lines.js').default.extensions>} */
export const EXTENSIONS = {
  'urn:ietf:params:rtp-hdrext:sdes:mid': 'mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id': 'rid',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id': 'repairedRid',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level': 'audioLevel',
  'urn:ietf:params:rtp-hdrext:csrc-audio-level': 'csrcAudioLevel',
  'urn:ietf:params:rtp-hdrext:toffset': 'toffset',
  'urn:ietf:params:rtp-hdrext:encrypt': 'encrypt',
  'urn:ietf:params:rtp-hdrext:framemarking': 'frameMarking',
  'urn:3gpp:video-orientation': 'orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time': 'absSendTime',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time': 'absCaptureTime',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01': 'transportCc',
  'http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02': 'transportCc',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay': 'playoutDelay',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-content-type': 'contentType',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-timing': 'timing',
  'http://www.webrtc.org/experiments/rtp-hdrext/color-space': 'colourSpace',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00': 'layers',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-frame-tracking-id': 'frameId',
  'http://www.webrtc.org/experiments/rtp-hdrext/corruption-detection': 'corruption',
  'http://www.webrtc.org/experiments/rtp-hdrext/generic-frame-descriptor-00': 'descriptor',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension': 'descriptor',
};
