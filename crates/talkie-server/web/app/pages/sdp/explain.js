/**
 * What a line of an SDP means, in the words of the page's language, and where it is specified. The
 * words come as an argument, so this is pure; what is said of each attribute stands in attributes.js.
 * @module
 */
import { ATTRIBUTES } from './attributes.js';
import { codecsOf } from './codecs.js';

/** @import {Description, Line, Section} from './parse.js' */
/** @import {Codec} from './codecs.js' */
/** @typedef {typeof import('../../strings/en/sdp-lines.js').default} Words */
/** @typedef {[rfc: number|string, section?: string]} Source an RFC's number, or the address of another document */
/**
 * @typedef {object} Context
 * @property {Words} words
 * @property {Description} description
 * @property {Section|null} section
 * @property {(payload: string) => Codec|null} codec
 */
/** @typedef {{text: string, source: Source|null, known: boolean}} Explanation */

/** @type {Record<string, Source>} */
const TYPES = {
  v: [8866, '5.1'], o: [8866, '5.2'], s: [8866, '5.3'], i: [8866, '5.4'], u: [8866, '5.5'], e: [8866, '5.6'],
  p: [8866, '5.6'], c: [8866, '5.7'], b: [8866, '5.8'], t: [8866, '5.9'], r: [8866, '5.10'], z: [8866, '5.11'],
  k: [8866, '5.12'], m: [8866, '5.14'],
};

/**
 * @param {Description} description
 * @param {Words} words
 * @returns {(line: Line) => Explanation}
 */
export function explainer(description, words) {
  /** @type {Map<Section, Map<string, Codec>>} */
  const codecs = new Map(description.sections.map((section) => [section, new Map(codecsOf(section).map((codec) => [codec.payload, codec]))]));
  return (line) => {
    const section = description.sections[line.section] ?? null;
    /** @type {Context} */
    const context = { words, description, section, codec: (payload) => (section && codecs.get(section)?.get(payload)) ?? null };
    if (line.type === 'a') return explainAttribute(line, context);
    const source = TYPES[line.type] ?? null;
    return source ? { text: explainType(line, context), source, known: true } : { text: words.noLine, source: null, known: false };
  };
}

/** @param {Line} line @param {Context} context @returns {Explanation} */
function explainAttribute({ name, argument }, context) {
  const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
  if (!attribute) return { text: context.words.unknown(name), source: [8866, '5.13'], known: false };
  return { text: attribute.say(argument ?? '', context), source: attribute.source, known: true };
}

/** @param {Line} line @param {Context} context */
function explainType({ type, value }, context) {
  const { words } = context;
  switch (type) {
    case 'o':
      return explainOrigin(value, words);
    case 'c':
      return explainConnection(value, words);
    case 'm':
      return explainMedia(context);
    case 's':
      return value.trim() === '-' || value.trim() === '' ? words.noName : words.name(value);
    case 't':
      return value.trim() === '0 0' ? words.always : words.times(value);
    case 'b': {
      const [kind = '', amount = ''] = value.split(':');
      return words.bandwidth(kind, amount);
    }
    default:
      return words.types[/** @type {keyof Words['types']} */ (type)] ?? words.noLine;
  }
}

/** @param {string} value @param {Words} words */
function explainOrigin(value, words) {
  const [user = '', session = '', version = '', , , address = ''] = value.split(/\s+/);
  const mozilla = /^mozilla\.\.\.THIS_IS_SDPARTA-(\S+)/.exec(user);
  return [words.origin(session, version), mozilla && words.originFirefox, /^(?:127\.0\.0\.1|0\.0\.0\.0)$/.test(address) && words.originHidden].filter(Boolean).join(' ');
}

/** @param {string} value @param {Words} words */
function explainConnection(value, words) {
  const [, family = '', address = ''] = value.split(/\s+/);
  return address === '0.0.0.0' || address === '::' ? words.connectionLater : words.connection(family, address);
}

/** @param {Context} context */
function explainMedia({ words, section, codec }) {
  if (!section) return words.noLine;
  const { kind, port, protocol, formats } = section;
  const codecs = formats.map((payload) => codec(payload)?.name).filter((name) => name);
  const names = [...new Set(codecs)].join(', ');
  const where = port === 0 ? words.mediaPortZero : port === 9 ? words.mediaPortNine : words.mediaPort(port);
  const how = protocol.includes('SCTP') ? words.mediaData : protocol.startsWith('UDP/TLS') ? words.mediaSecure(names) : words.mediaOther(protocol, names);
  return `${words.media(words.kinds[/** @type {keyof Words['kinds']} */ (kind)] ?? kind)} ${where} ${how}`;
}

/** @param {Source} source @returns {{text: string, href: string}} */
export function reference([document, section]) {
  if (typeof document === 'string') return { text: new URL(document).host, href: document };
  const href = `https://www.rfc-editor.org/rfc/rfc${document}.html`;
  return { text: section ? `RFC ${document} §${section}` : `RFC ${document}`, href: section ? `${href}#section-${section}` : href };
}
