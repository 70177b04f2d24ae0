/**
 * An offer and its answer side by side: what the two have agreed on, section by section, and where
 * they don't fit (RFC 9429 §5.10, RFC 3264 §6). Pure.
 * @module
 */
import { codecsOf, formatName, sameFormat } from './codecs.js';
import { attribute, attributes, directionOf, isRejected, isRtp, midOf } from './parse.js';

/** @import {Description, Direction, Section} from './parse.js' */

/**
 * @typedef {object} Agreed
 * @property {number} index
 * @property {string} kind
 * @property {string} mid
 * @property {boolean} rejected
 * @property {{sends: boolean, receives: boolean}} offerer what the side of the offer does
 * @property {{payload: string, answered: string, name: string}[]} codecs in the answerer's order
 * @property {string[]} dropped codecs that were offered and not taken
 * @property {string[]} extensions header extensions both have
 * @property {'offerer'|'answerer'|null} dtlsClient
 * @property {boolean} bundled
 * @property {[number|null, number|null]} messages largest message that offerer and answerer take
 */
/** @typedef {{code: string, section: number|null, values: string[]}} Mismatch */

/** @param {Description} offer @param {Description} answer @returns {{sections: Agreed[], mismatches: Mismatch[]}} */
export function negotiate(offer, answer) {
  /** @type {Mismatch[]} */
  const mismatches = [];
  if (offer.sections.length !== answer.sections.length) {
    mismatches.push({ code: 'count', section: null, values: [String(offer.sections.length), String(answer.sections.length)] });
  }
  const bundled = bundledMids(answer);
  const sections = offer.sections.flatMap((offered) => {
    const answered = answer.sections[offered.index];
    if (!answered) return [];
    mismatches.push(...misfits(offer, offered, answer, answered));
    return [agree(offer, offered, answer, answered, bundled)];
  });
  return { sections, mismatches };
}

/** @param {Description} description */
function bundledMids(description) {
  return new Set(attributes(description.session, 'group').filter(({ argument }) => argument?.startsWith('BUNDLE')).flatMap(({ argument }) => argument?.split(/\s+/).slice(1) ?? []));
}

/** @param {Description} offer @param {Section} offered @param {Description} answer @param {Section} answered @param {Set<string>} bundled @returns {Agreed} */
function agree(offer, offered, answer, answered, bundled) {
  const theirs = codecsOf(answered);
  const ours = codecsOf(offered);
  const mid = midOf(offered) ?? midOf(answered) ?? '';
  const common = theirs.flatMap((codec) => {
    const match = ours.find((own) => own.payload === codec.payload && sameFormat(own, codec)) ?? ours.find((own) => sameFormat(own, codec));
    return match ? [{ payload: match.payload, answered: codec.payload, name: formatName(match) }] : [];
  });
  const taken = new Set(common.map(({ payload }) => payload));
  const [mine, other] = [directionOf(offer, offered), directionOf(answer, answered)];
  return {
    index: offered.index,
    kind: offered.kind,
    mid,
    rejected: isRejected(answered),
    offerer: { sends: sends(mine) && receives(other), receives: receives(mine) && sends(other) },
    codecs: isRtp(offered) ? common : [],
    dropped: isRtp(offered) ? [...new Set(ours.filter(({ payload }) => !taken.has(payload)).map(formatName))] : [],
    extensions: commonExtensions(offered, answered),
    dtlsClient: client(attribute(offer, offered, 'setup')?.argument, attribute(answer, answered, 'setup')?.argument),
    bundled: bundled.has(mid),
    messages: [messageSize(offered), messageSize(answered)],
  };
}

/** @param {Direction} direction */
const sends = (direction) => direction === 'sendrecv' || direction === 'sendonly';
/** @param {Direction} direction */
const receives = (direction) => direction === 'sendrecv' || direction === 'recvonly';

/** RFC 8842 §5.3 @param {string|null|undefined} offered @param {string|null|undefined} answered @returns {Agreed['dtlsClient']} */
function client(offered, answered) {
  if (answered === 'active' && offered !== 'active') return 'answerer';
  if (answered === 'passive' && offered !== 'passive') return 'offerer';
  return null;
}

/** @param {Section} a @param {Section} b */
function commonExtensions(a, b) {
  const uris = (/** @type {Section} */ section) => attributes(section.lines, 'extmap').map(({ argument }) => argument?.split(/\s+/)[1] ?? '');
  const others = new Set(uris(b));
  return uris(a).filter((uri) => others.has(uri));
}

/** @param {Section} section */
function messageSize(section) {
  const size = attributes(section.lines, 'max-message-size')[0]?.argument;
  return size && /^\d+$/.test(size) ? Number(size) : null;
}

/** @param {Description} offer @param {Section} offered @param {Description} answer @param {Section} answered @returns {Mismatch[]} */
function misfits(offer, offered, answer, answered) {
  /** @type {Mismatch[]} */
  const found = [];
  const say = (/** @type {string} */ code, /** @type {string[]} */ ...values) => void found.push({ code, section: offered.index, values });
  if (offered.kind !== answered.kind) say('kind', offered.kind, answered.kind);
  const [mid, otherMid] = [midOf(offered), midOf(answered)];
  if (mid !== otherMid) say('mid', mid ?? '–', otherMid ?? '–');
  if (isRejected(answered)) return found;
  if (isRejected(offered)) say('revived');
  const setup = [attribute(offer, offered, 'setup')?.argument, attribute(answer, answered, 'setup')?.argument];
  if (setup[1] === 'actpass' || (setup[0] === setup[1] && setup[0] !== undefined)) say('setup', setup[0] ?? '', setup[1] ?? '');
  const [mine, other] = [directionOf(offer, offered), directionOf(answer, answered)];
  if ((sends(other) && !receives(mine)) || (receives(other) && !sends(mine))) say('direction', mine, other);
  if (!isRtp(offered)) return found;
  const ours = codecsOf(offered);
  for (const codec of codecsOf(answered)) {
    const same = ours.find(({ payload }) => payload === codec.payload);
    if (same && same.name && codec.name && same.name.toLowerCase() !== codec.name.toLowerCase()) say('payload', codec.payload, same.name, codec.name);
    else if (!ours.some((own) => own.name.toLowerCase() === codec.name.toLowerCase())) say('notOffered', codec.name || codec.payload);
  }
  return found;
}
