/**
 * Which codec comes first. A preference changes the order only: all others stay in the list, so that a
 * peer that lacks the preferred one still has one in common with us. Pure.
 * @module
 */

/** @typedef {'auto'|'vp8'|'vp9'|'h264'|'av1'} CodecChoice */
/** @typedef {{mimeType: string, clockRate: number, channels?: number, sdpFmtpLine?: string}} Codec */

/** @param {Codec} codec */
const nameOf = ({ mimeType }) => mimeType.split('/')[1]?.toLowerCase() ?? '';

/**
 * @param {readonly Codec[]} codecs what this browser can receive, in its own order
 * @param {CodecChoice} choice
 * @returns {Codec[]} empty: the browser's own order, which is also what setCodecPreferences makes of it
 */
export function preferred(codecs, choice) {
  const first = codecs.filter((codec) => nameOf(codec) === choice);
  return choice === 'auto' || first.length === 0 ? [] : [...first, ...codecs.filter((codec) => nameOf(codec) !== choice)];
}

/** @param {readonly Codec[]} codecs @returns {CodecChoice[]} what can be chosen here */
export function choices(codecs) {
  const here = new Set(codecs.map(nameOf));
  const all = /** @type {const} */ (['vp8', 'vp9', 'h264', 'av1']);
  return ['auto', ...all.filter((name) => here.has(name))];
}
