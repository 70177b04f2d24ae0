/**
 * The codecs of a media section: which payload type is what, with its parameters, and which ones only
 * serve another (retransmission, redundancy). Pure.
 * @module
 */
import { attributes } from './parse.js';

/** @import {Section} from './parse.js' */

/**
 * @typedef {object} Codec
 * @property {string} payload
 * @property {string} name as written; empty when nothing tells
 * @property {number} clock
 * @property {number} channels
 * @property {Map<string, string>} parameters names lower-cased; a parameter without `=` stands under ''
 * @property {string[]} feedback
 */

/** RFC 3551 §6: these need no rtpmap. @type {Record<string, [string, number]>} */
const STATIC = {
  0: ['PCMU', 8000], 3: ['GSM', 8000], 4: ['G723', 8000], 8: ['PCMA', 8000], 9: ['G722', 8000], 13: ['CN', 8000],
  15: ['G728', 8000], 18: ['G729', 8000], 26: ['JPEG', 90000], 31: ['H261', 90000], 34: ['H263', 90000],
};

/** Carry no media of their own. */
const COMPANIONS = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03', 'flexfec', 'telephone-event', 'cn']);

/** @param {Section} section @returns {Codec[]} in the order of preference */
export function codecsOf(section) {
  const all = section.formats.map((payload) => {
    const [name = '', clock = 0] = STATIC[payload] ?? [];
    return { payload, name, clock, channels: 1, parameters: new Map(), feedback: /** @type {string[]} */ ([]) };
  });
  const byPayload = new Map(all.map((codec) => [codec.payload, codec]));
  for (const { name, argument } of section.lines) {
    if (!argument) continue;
    if (name === 'rtpmap') readMap(byPayload, argument);
    const [payload = '', rest = ''] = halves(argument);
    if (name === 'fmtp') for (const [key, value] of parametersOf(rest)) byPayload.get(payload)?.parameters.set(key, value);
    if (name === 'rtcp-fb') for (const codec of payload === '*' ? all : [byPayload.get(payload)]) codec?.feedback.push(rest);
  }
  return all;
}

/** @param {Map<string, Codec>} byPayload @param {string} argument */
function readMap(byPayload, argument) {
  const [payload = '', encoding = ''] = halves(argument);
  const codec = byPayload.get(payload);
  if (!codec) return;
  const [name = '', clock = '', channels = '1'] = encoding.split('/');
  Object.assign(codec, { name, clock: Number(clock) || 0, channels: Number(channels) || 1 });
}

/** @param {string} text @returns {[string, string]} what stands before the first blank, and after it */
export function halves(text) {
  const at = text.search(/\s/);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trim()];
}

/** `a=1;b` @param {string} text @returns {[string, string][]} */
export function parametersOf(text) {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? ['', part] : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    });
}

/** @param {Codec} codec */
export function isCompanion({ name }) {
  return COMPANIONS.has(name.toLowerCase());
}

/** Payload types that this one is of no use without. @param {Codec} codec @returns {string[]} */
export function servedBy({ name, parameters }) {
  const kind = name.toLowerCase();
  if (kind === 'rtx') return [parameters.get('apt') ?? ''].filter(Boolean);
  if (kind === 'red') return [...new Set((parameters.get('') ?? '').split('/').filter(Boolean))];
  return [];
}

/** `VP9 profile 2` tells it from `VP9 profile 0`. @param {Codec} codec */
export function formatName({ name, parameters, payload }) {
  const kind = name.toLowerCase();
  if (kind === 'h264') {
    const mode = parameters.get('packetization-mode') ?? '0';
    return `${name} ${h264Profile(parameters.get('profile-level-id') ?? '')?.profile ?? ''} mode ${mode}`.replace(/\s+/g, ' ');
  }
  if (kind === 'vp9' || kind === 'h265') return `${name} profile ${parameters.get('profile-id') ?? '0'}`;
  if (kind === 'av1') return `${name} profile ${parameters.get('profile') ?? '0'}`;
  return name || payload;
}

/** Profile by profile_idc and the constraint bits that distinguish (RFC 6184 §8.1, table 5). @type {[number, number, number, string][]} */
const H264 = [
  [0x42, 0x4f, 0x40, 'Constrained Baseline'],
  [0x4d, 0x8f, 0x80, 'Constrained Baseline'],
  [0x58, 0xcf, 0xc0, 'Constrained Baseline'],
  [0x42, 0x4f, 0x00, 'Baseline'],
  [0x58, 0xcf, 0x80, 'Baseline'],
  [0x4d, 0xaf, 0x00, 'Main'],
  [0x58, 0xcf, 0x00, 'Extended'],
  [0x64, 0xff, 0x0c, 'Constrained High'],
  [0x64, 0xff, 0x00, 'High'],
  [0x6e, 0xff, 0x00, 'High 10'],
  [0x7a, 0xff, 0x00, 'High 4:2:2'],
  [0xf4, 0xff, 0x00, 'High 4:4:4 Predictive'],
];

/** @param {string} id profile-level-id, six hex digits */
export function h264Profile(id) {
  if (!/^[0-9a-f]{6}$/i.test(id)) return null;
  const [idc = 0, constraints = 0, level = 0] = [0, 2, 4].map((at) => Number.parseInt(id.slice(at, at + 2), 16));
  const profile = H264.find(([p, mask, bits]) => p === idc && (constraints & mask) === bits)?.[3] ?? `0x${id.slice(0, 2)}`;
  // Level 1b hides in constraint_set3 of the profiles up to Main.
  const b = level === 11 && (constraints & 0x10) !== 0 && idc < 0x64;
  return { profile, level: b ? '1b' : `${Math.floor(level / 10)}${level % 10 ? `.${level % 10}` : ''}` };
}

/** Whether two descriptions mean the same format by these. @param {Codec} a @param {Codec} b */
export function sameFormat(a, b) {
  return (
    a.name.toLowerCase() === b.name.toLowerCase() &&
    a.clock === b.clock &&
    a.channels === b.channels &&
    formatName(a).toLowerCase() === formatName(b).toLowerCase()
  );
}

/** Payload types that a section's lines speak of and its m-line does not have. @param {Section} section */
export function strayPayloads(section) {
  const known = new Set(section.formats);
  return ['rtpmap', 'fmtp', 'rtcp-fb'].flatMap((name) =>
    attributes(section.lines, name).filter(({ argument }) => {
      const [payload] = halves(argument ?? '');
      return payload !== '*' && !known.has(payload);
    }),
  );
}
