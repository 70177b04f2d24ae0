/**
 * The parameters of `a=fmtp`, which mean another thing for each codec. Pure.
 * @module
 */
import { h264Profile } from './codecs.js';

/** @import {Context, Words} from './explain.js' */

/**
 * @param {string} codec lower case @param {string} key @param {string} value
 * @param {Context} context
 * @returns {string} a sentence
 */
export function explainParameter(codec, key, value, context) {
  const { words } = context;
  const t = words.parameters;
  if (key === '') return explainBare(codec, value, context);
  if (codec === 'h264' && key === 'profile-level-id') {
    const decoded = h264Profile(value);
    return decoded ? t.h264(value, decoded.profile, decoded.level) : words.badValue(`${key}=${value}`);
  }
  if (key === 'apt') return t.apt(context.codec(value)?.name ?? '?', value);
  // The same name means different things to different codecs.
  const own = t.byCodec[/** @type {keyof Words['parameters']['byCodec']} */ (`${codec} ${key}`)];
  const say = own ?? t.any[/** @type {keyof Words['parameters']['any']} */ (key)];
  if (typeof say === 'function') return say(value);
  return t.other(key, value);
}

/** @param {string} codec @param {string} value @param {Context} context */
function explainBare(codec, value, { words, codec: find }) {
  const t = words.parameters;
  if (codec === 'telephone-event') return t.events(value);
  if (codec === 'red') return t.red([...new Set(value.split('/'))].map((payload) => find(payload)?.name || payload).join(', '), value.split('/').length);
  return t.other(value, '');
}
