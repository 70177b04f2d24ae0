/**
 * What this browser can do, asked of the browser itself and never guessed from its name.
 * @module
 */

/** @typedef {{kind: 'audio'|'video', name: string, format: string, sends: boolean, receives: boolean}} CodecRow */
/** @typedef {{name: keyof typeof import('../../strings/en/check.js').default.features, there: boolean}} Feature */

/** @param {typeof RTCRtpSender|typeof RTCRtpReceiver} side @param {'audio'|'video'} kind */
function codecs(side, kind) {
  return side.getCapabilities?.(kind)?.codecs ?? [];
}

/** @returns {CodecRow[]} */
export function codecRows() {
  /** @type {Map<string, CodecRow>} */
  const rows = new Map();
  for (const kind of /** @type {const} */ (['audio', 'video'])) {
    for (const [side, key] of /** @type {const} */ ([[RTCRtpSender, 'sends'], [RTCRtpReceiver, 'receives']])) {
      for (const { mimeType, sdpFmtpLine = '', clockRate, channels } of codecs(side, kind)) {
        const name = mimeType.replace(/^\w+\//, '');
        const format = [kind === 'audio' ? `${clockRate / 1000} kHz${channels === 2 ? ' × 2' : ''}` : '', sdpFmtpLine].filter(Boolean).join(' · ');
        const row = rows.get(`${kind} ${name} ${format}`) ?? { kind, name, format, sends: false, receives: false };
        row[key] = true;
        rows.set(`${kind} ${name} ${format}`, row);
      }
    }
  }
  return [...rows.values()];
}

/** @returns {Promise<Feature[]>} */
export async function features() {
  const w = /** @type {any} */ (window);
  const n = /** @type {any} */ (navigator);
  return [
    { name: 'secure', there: isSecureContext },
    { name: 'devices', there: Boolean(n.mediaDevices?.getUserMedia) },
    { name: 'screen', there: Boolean(n.mediaDevices?.getDisplayMedia) },
    { name: 'speaker', there: 'setSinkId' in HTMLMediaElement.prototype },
    { name: 'codecChoice', there: 'setCodecPreferences' in RTCRtpTransceiver.prototype },
    { name: 'simulcast', there: await canSimulcast() },
    { name: 'encodedTransform', there: 'RTCRtpScriptTransform' in w || 'createEncodedStreams' in RTCRtpSender.prototype },
    { name: 'recording', there: typeof w.MediaRecorder === 'function' },
    { name: 'picture', there: 'documentPictureInPicture' in w || document.pictureInPictureEnabled === true },
    { name: 'filePicker', there: 'showSaveFilePicker' in w },
    { name: 'privateFiles', there: Boolean(n.storage?.getDirectory) },
    { name: 'serviceWorker', there: 'serviceWorker' in n },
    { name: 'crypto', there: Boolean(w.crypto?.subtle) },
    { name: 'wakeLock', there: 'wakeLock' in n },
    { name: 'share', there: 'share' in n },
  ];
}

/** Only an offer tells: browsers that cannot leave the second layer out without a word. */
async function canSimulcast() {
  const connection = new RTCPeerConnection();
  try {
    connection.addTransceiver('video', { direction: 'sendonly', sendEncodings: [{ rid: 'h' }, { rid: 'q', scaleResolutionDownBy: 2 }] });
    return /^a=simulcast:send /m.test((await connection.createOffer()).sdp ?? '');
  } catch {
    return false;
  } finally {
    connection.close();
  }
}

/** The browser's name and version, as it gives itself out. */
export function browserName() {
  const agent = navigator.userAgent;
  const found = /(Edg|OPR|Firefox|Chrome|Chromium)\/([\d.]+)/.exec(agent) ?? /(Version)\/([\d.]+).*Safari/.exec(agent);
  if (!found) return agent.slice(0, 120);
  const names = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari' };
  return `${names[/** @type {keyof typeof names} */ (found[1])] ?? found[1]} ${found[2]}`;
}
