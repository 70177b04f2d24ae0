/**
 * What is wrong with a description, or at least remarkable: each finding with the line it is about.
 * Pure; the words stand in strings.
 * @module
 */
import { parseCandidate } from '../candidate.js';
import { codecsOf, halves, isCompanion, servedBy, strayPayloads } from './codecs.js';
import { attribute, attributes, DIRECTIONS, isRejected, isRtp, midOf } from './parse.js';

/** @import {Description, Fault, Line, Section} from './parse.js' */
/** @typedef {'offer'|'answer'|'pranswer'|'rollback'|null} Type */
/** @typedef {'bad'|'note'} Severity `note`: allowed, but worth knowing */
/** @typedef {Fault & {severity: Severity, section: number|null}} Problem */

const MAX_PROBLEMS = 100;

/** @param {Description} description @param {Type} type @returns {Problem[]} */
export function problemsOf(description, type) {
  const found = [
    ...description.faults.map((fault) => problem(fault.code, fault.line, fault.values)),
    ...ofForm(description),
    ...description.sections.flatMap((section) => ofSection(description, section, type)),
    ...ofBundle(description),
  ];
  // What comes first in the text comes first here; what has no line concerns the whole.
  return found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, MAX_PROBLEMS);
}

/**
 * @param {string} code @param {number|null} line @param {string[]} [values] @param {Severity} [severity]
 * @param {number|null} [section]
 * @returns {Problem}
 */
function problem(code, line, values = [], severity = 'bad', section = null) {
  return { code, line, values, severity, section };
}

/** @param {Description} description */
function ofForm({ lines, session, sections, lineEnds }) {
  /** @type {Problem[]} */
  const found = [];
  if (lines.length === 0) return found;
  if (lineEnds === 'mixed') found.push(problem('mixedLineEnds', null));
  if (lineEnds === 'lf') found.push(problem('lineFeeds', null, [], 'note'));
  if (lines[0]?.type !== 'v') found.push(problem('noVersion', 1));
  for (const type of ['o', 's', 't']) if (!session.some((line) => line.type === type)) found.push(problem('missingType', null, [type]));
  if (sections.length === 0) found.push(problem('noMedia', null, [], 'note'));
  return found;
}

/** @param {Description} description @param {Section} section @param {Type} type @returns {Problem[]} */
function ofSection(description, section, type) {
  const at = section.lines[0]?.number ?? null;
  /** @type {Say} */
  const say = (code, values, severity, line = at) => problem(code, line, values, severity, section.index);
  if (isRejected(section)) return [say('rejected', [section.kind], 'note')];
  /** @type {Problem[]} */
  const found = [];
  if (midOf(section) === null) found.push(say('noMid'));
  for (const [name, code] of /** @type {const} */ ([['fingerprint', 'noFingerprint'], ['ice-ufrag', 'noUfrag'], ['ice-pwd', 'noPassword'], ['setup', 'noSetup']])) {
    if (!attribute(description, section, name)) found.push(say(code));
  }
  found.push(...ofIce(description, section, say), ...ofSetup(description, section, type, say));
  if (isRtp(section)) found.push(...ofCodecs(section, say));
  const directions = section.lines.filter((line) => DIRECTIONS.some((name) => name === line.name));
  if (directions.length > 1) found.push(say('manyDirections', directions.map((line) => line.name), 'bad', directions[1]?.number));
  for (const line of attributes(section.lines, 'crypto')) found.push(say('sdes', [], 'bad', line.number));
  return found;
}

/** @typedef {(code: string, values?: string[], severity?: Severity, line?: number|null) => Problem} Say */

/** @param {Description} description @param {Section} section @param {Say} say */
function ofIce(description, section, say) {
  /** @type {Problem[]} */
  const found = [];
  const ufrag = attribute(description, section, 'ice-ufrag');
  const password = attribute(description, section, 'ice-pwd');
  // RFC 8839 §5.4
  if (ufrag && !/^[\w+/-]{4,256}$/.test(ufrag.argument ?? '')) found.push(say('badUfrag', [], 'bad', ufrag.number));
  if (password && !/^[\w+/-]{22,256}$/.test(password.argument ?? '')) found.push(say('badPassword', [], 'bad', password.number));
  const candidates = attributes(section.lines, 'candidate');
  for (const line of candidates) if (!parseCandidate(line.argument ?? '')) found.push(say('badCandidate', [], 'bad', line.number));
  const bundled = description.session.some((line) => line.name === 'group' && line.argument?.startsWith('BUNDLE'));
  if (candidates.length === 0 && !(bundled && section.index > 0)) found.push(say('noCandidates', [], 'note'));
  return found;
}

/** @param {Description} description @param {Section} section @param {Type} type @param {Say} say */
function ofSetup(description, section, type, say) {
  const setup = attribute(description, section, 'setup');
  if (!setup) return [];
  if (type === 'answer' && setup.argument === 'actpass') return [say('actpassAnswer', [], 'bad', setup.number)];
  if (type === 'offer' && setup.argument !== 'actpass') return [say('offerRole', [setup.argument ?? ''], 'note', setup.number)];
  return [];
}

/** @param {Section} section @param {Say} say */
function ofCodecs(section, say) {
  /** @type {Problem[]} */
  const found = [];
  const codecs = codecsOf(section);
  const known = new Set(section.formats);
  if (known.size !== section.formats.length) found.push(say('doublePayload', section.formats.filter((payload, at) => section.formats.indexOf(payload) !== at)));
  for (const codec of codecs) {
    if (!codec.name) found.push(say('noMap', [codec.payload]));
    const missing = servedBy(codec).filter((payload) => !known.has(payload));
    if (missing.length) found.push(say('lonePartner', [codec.name, codec.payload, missing.join(', ')]));
  }
  for (const line of strayPayloads(section)) found.push(say('strayPayload', [halves(line.argument ?? '')[0], line.name], 'bad', line.number));
  if (codecs.length > 0 && codecs.every(isCompanion)) found.push(say('noCodec'));
  if (attributes(section.lines, 'rtcp-mux').length === 0) found.push(say('noMux', [], 'note'));
  found.push(...doubleExtensions(section, say));
  return found;
}

/** @param {Section} section @param {Say} say */
function doubleExtensions(section, say) {
  /** @type {Map<string, Line>} */
  const seen = new Map();
  return attributes(section.lines, 'extmap').flatMap((line) => {
    const id = (line.argument ?? '').split(/[/\s]/)[0] ?? '';
    const double = seen.has(id);
    seen.set(id, line);
    return double ? [say('doubleExtension', [id], 'bad', line.number)] : [];
  });
}

/** @param {Description} description */
function ofBundle({ session, sections }) {
  /** @type {Problem[]} */
  const found = [];
  const mids = sections.map(midOf);
  const known = new Set(mids);
  for (const line of attributes(session, 'group')) {
    const [, list] = halves(line.argument ?? '');
    for (const mid of list.split(/\s+/).filter(Boolean)) if (!known.has(mid)) found.push(problem('bundleUnknown', line.number, [mid]));
  }
  const seen = new Set();
  sections.forEach((section, at) => {
    const mid = mids[at];
    const double = seen.has(mid);
    seen.add(mid);
    if (mid && double) found.push(problem('doubleMid', section.lines[0]?.number ?? null, [mid], 'bad', section.index));
  });
  return found;
}
