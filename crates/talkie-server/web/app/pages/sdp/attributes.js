/**
 * Every attribute that browsers and their peers write: where it is specified, and which words tell its
 * meaning from its value. Pure.
 * @module
 */
import { addressKind, decodePriority, parseCandidate } from '../candidate.js';
import { halves, parametersOf } from './codecs.js';
import { EXTENSIONS } from './extensions.js';
import { explainParameter } from './parameters.js';

/** @import {Context, Source, Words} from './explain.js' */
/** @typedef {{source: Source, say: (argument: string, context: Context) => string}} Attribute */

/** One whose words need nothing but its value, or not even that. @param {Source} source @param {keyof Words['attributes']} key @returns {Attribute} */
function plain(source, key) {
  return {
    source,
    say(argument, { words }) {
      const text = /** @type {string|((value: string) => string)} */ (words.attributes[key]);
      return typeof text === 'function' ? text(argument) : text;
    },
  };
}

/** @type {Record<string, Attribute>} */
export const ATTRIBUTES = {
  group: { source: [5888, '5'], say: sayGroup },
  'msid-semantic': { source: ['https://datatracker.ietf.org/doc/html/draft-ietf-mmusic-msid-02'], say: (a, { words }) => words.attributes['msid-semantic'](a.replace(/^\s*WMS\s*/, '')) },
  'ice-lite': plain([8839, '5.3'], 'ice-lite'),
  'ice-options': { source: [8839, '5.6'], say: sayIceOptions },
  'ice-ufrag': plain([8839, '5.4'], 'ice-ufrag'),
  'ice-pwd': plain([8839, '5.4'], 'ice-pwd'),
  'ice-pacing': plain([8839, '5.5'], 'ice-pacing'),
  'ice-mismatch': plain([8839, '5.3'], 'ice-mismatch'),
  'remote-candidates': plain([8839, '5.2'], 'remote-candidates'),
  candidate: { source: [8839, '5.1'], say: sayCandidate },
  'end-of-candidates': plain([8840, '8.2'], 'end-of-candidates'),
  fingerprint: { source: [8122, '5'], say: (a, { words }) => words.attributes.fingerprint(halves(a)[0].toUpperCase(), /^sha-1$/i.test(halves(a)[0])) },
  setup: { source: [8842, '5.2'], say: (a, { words }) => words.setup[/** @type {keyof Words['setup']} */ (a)] ?? words.badValue(a) },
  'tls-id': plain([8842, '4'], 'tls-id'),
  connection: plain([4145, '5'], 'connection'),
  mid: plain([5888, '4'], 'mid'),
  'bundle-only': plain([9143, '6'], 'bundle-only'),
  extmap: { source: [8285, '5'], say: sayExtension },
  'extmap-allow-mixed': plain([8285, '6'], 'extmap-allow-mixed'),
  rtpmap: { source: [8866, '6.6'], say: sayCodec },
  fmtp: { source: [8866, '6.15'], say: sayParameters },
  'rtcp-fb': { source: [4585, '4.2'], say: sayFeedback },
  rtcp: plain([3605, '2.1'], 'rtcp'),
  'rtcp-mux': plain([5761, '5.1.1'], 'rtcp-mux'),
  'rtcp-mux-only': plain([8858, '3'], 'rtcp-mux-only'),
  'rtcp-rsize': plain([5506, '5'], 'rtcp-rsize'),
  'rtcp-xr': { source: [3611, '5.1'], say: (a, { words }) => words.attributes['rtcp-xr'](a.includes('rcvr-rtt')) },
  ssrc: { source: [5576, '4.1'], say: saySource },
  'ssrc-group': { source: [5576, '4.2'], say: saySourceGroup },
  rid: { source: [8851, '4'], say: sayRid },
  simulcast: { source: [8853, '5.1'], say: saySimulcast },
  msid: { source: [8830, '2'], say: (a, { words }) => words.attributes.msid(...halves(a)) },
  sendrecv: plain([8866, '6.7'], 'sendrecv'),
  sendonly: plain([8866, '6.7'], 'sendonly'),
  recvonly: plain([8866, '6.7'], 'recvonly'),
  inactive: plain([8866, '6.7'], 'inactive'),
  'sctp-port': plain([8841, '5'], 'sctp-port'),
  'max-message-size': { source: [8841, '6'], say: (a, { words }) => words.attributes['max-message-size'](a === '0' ? null : Number(a)) },
  sctpmap: plain(['https://datatracker.ietf.org/doc/html/draft-ietf-mmusic-sctp-sdp-05'], 'sctpmap'),
  dcmap: plain([8864, '5.1'], 'dcmap'),
  ptime: plain([8866, '6.4'], 'ptime'),
  maxptime: plain([8866, '6.5'], 'maxptime'),
  framerate: plain([8866, '6.13'], 'framerate'),
  imageattr: plain([6236, '3'], 'imageattr'),
  content: plain([4796, '5'], 'content'),
  label: plain([4574, '4'], 'label'),
  crypto: plain([4568, '4'], 'crypto'),
  identity: plain([8827, '5'], 'identity'),
  tool: plain([8866, '6.3'], 'tool'),
  'x-google-flag': plain(['https://webrtc.googlesource.com/src/'], 'x-google-flag'),
};

/** @param {string} argument @param {Context} context */
function sayGroup(argument, { words, description }) {
  const [kind, mids] = halves(argument);
  if (kind === 'BUNDLE') return mids ? words.attributes.bundle(mids, mids.split(/\s+/).length === description.sections.length) : words.attributes.bundleNone;
  if (kind === 'LS') return words.attributes.lipSync(mids);
  return words.attributes.group(kind, mids);
}

/** @param {string} argument @param {Context} context */
function sayIceOptions(argument, { words }) {
  return argument
    .split(/\s+/)
    .map((option) => words.iceOptions[/** @type {keyof Words['iceOptions']} */ (option)] ?? words.badValue(option))
    .join(' ');
}

/** @param {string} argument @param {Context} context */
function sayCandidate(argument, { words }) {
  const candidate = parseCandidate(argument);
  if (!candidate) return words.badCandidate;
  const t = words.candidate;
  const { type, local } = decodePriority(candidate.priority);
  const tcp = candidate.protocol === 'tcp' ? t.tcp[/** @type {keyof typeof t.tcp} */ (candidate.tcpType ?? '')] ?? '' : '';
  return [
    t.types[/** @type {keyof typeof t.types} */ (candidate.type)] ?? words.badValue(candidate.type),
    t.address(candidate.protocol.toUpperCase(), candidate.address, candidate.port),
    t.kinds[addressKind(candidate.address)],
    tcp,
    t.component(candidate.component),
    t.priority(candidate.priority, type, local),
    candidate.relatedAddress && candidate.relatedAddress !== '0.0.0.0' ? t.related(candidate.relatedAddress, candidate.relatedPort ?? 0) : '',
  ].filter(Boolean).join(' ');
}

/** @param {string} argument @param {Context} context */
function sayExtension(argument, { words }) {
  const [number, rest] = halves(argument);
  const [uri] = halves(rest);
  const [id = '', direction = ''] = number.split('/');
  const key = Object.hasOwn(EXTENSIONS, uri) ? EXTENSIONS[uri] : undefined;
  const what = key ? words.extensions[key] : words.unknownExtension(uri);
  return `${words.extension(id)} ${what}${direction ? ` ${words.extensionDirection(direction)}` : ''}`;
}

/** @param {string} argument @param {Context} context */
function sayCodec(argument, { words, codec }) {
  const [payload, encoding] = halves(argument);
  const [name = '', clock = '', channels = ''] = encoding.split('/');
  const known = words.codecs[/** @type {keyof Words['codecs']} */ (name.toLowerCase())];
  const partner = name.toLowerCase() === 'rtx' ? codec(codec(payload)?.parameters.get('apt') ?? '') : null;
  const text = words.codec(payload, name, clock, channels);
  return [text, partner?.name ? words.rtxFor(partner.name, partner.payload) : known].filter(Boolean).join(' ');
}

/** @param {string} argument @param {Context} context */
function sayParameters(argument, context) {
  const { rest, found, name } = ofPayload(argument, context);
  const parameters = parametersOf(rest);
  const kind = (found?.name ?? '').toLowerCase();
  return `${context.words.parametersOf(name)} ${parameters.map(([key, value]) => explainParameter(kind, key, value, context)).join(' ')}`;
}

/** @param {string} argument @param {Context} context */
function sayFeedback(argument, context) {
  const { rest, name } = ofPayload(argument, context);
  const t = context.words.feedback;
  const [kind] = halves(rest);
  return context.words.feedbackFor(name, t[/** @type {keyof typeof t} */ (rest)] ?? t[/** @type {keyof typeof t} */ (kind)] ?? context.words.badValue(rest));
}

/** @param {string} argument @param {Context} context */
function saySource(argument, { words }) {
  const [ssrc, rest] = halves(argument);
  const at = rest.indexOf(':');
  const [key, value] = at < 0 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + 1)];
  const say = words.sources[/** @type {keyof Words['sources']} */ (key)];
  return `${words.source(ssrc)} ${say ? say(value) : words.badValue(rest)}`;
}

/** @param {string} argument @param {Context} context */
function saySourceGroup(argument, { words }) {
  const [kind, rest] = halves(argument);
  const [first = '', ...others] = rest.split(/\s+/);
  const say = words.sourceGroups[/** @type {keyof Words['sourceGroups']} */ (kind)];
  return say ? say(first, others.join(', ')) : words.badValue(argument);
}

/** @param {string} argument @param {Context} context */
function sayRid(argument, { words }) {
  const [rid = '', direction = '', restrictions = ''] = argument.split(/\s+/);
  return words.rid(rid, direction, restrictions);
}

/** @param {string} argument @param {Context} context */
function saySimulcast(argument, { words }) {
  const parts = argument.split(/\s+/);
  /** @type {string[]} */
  const said = [];
  for (let at = 0; at + 1 < parts.length; at += 2) said.push(words.simulcast(parts[at] ?? '', (parts[at + 1] ?? '').split(';')));
  return said.join(' ');
}

/** `pt rest`, with the payload type's codec. @param {string} argument @param {Context} context */
function ofPayload(argument, { codec, words }) {
  const [payload, rest] = halves(argument);
  const found = codec(payload);
  return { payload, rest, found, name: payload === '*' ? words.allCodecs : found?.name ? `${found.name} (${payload})` : payload };
}
