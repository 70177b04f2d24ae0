/**
 * An SDP text as lines and media sections (RFC 8866 §5). Nothing is thrown away and nothing throws: a
 * line that is none stays in its place with a fault, so that what is wrong can be shown where it is.
 * Pure.
 * @module
 */

/**
 * @typedef {object} Line
 * @property {number} number from 1
 * @property {string} raw without its line end
 * @property {string} type the letter before `=`; empty when the line has no such form
 * @property {string} value behind `=`
 * @property {string} name of an attribute, else empty
 * @property {string|null} argument of an attribute, null when it has none
 * @property {number} section index of its media section, -1 for the session's lines
 */
/** @typedef {'sendrecv'|'sendonly'|'recvonly'|'inactive'} Direction */
/**
 * @typedef {object} Section
 * @property {number} index
 * @property {string} kind audio, video, application, …
 * @property {number} port
 * @property {string} protocol
 * @property {string[]} formats payload types, or what stands in their place
 * @property {Line[]} lines
 */
/** @typedef {{code: string, line: number|null, values?: string[]}} Fault a key of the words, and where */
/**
 * @typedef {object} Description
 * @property {Line[]} lines
 * @property {Line[]} session
 * @property {Section[]} sections
 * @property {Fault[]} faults of form alone
 * @property {'crlf'|'lf'|'mixed'} lineEnds
 */

/** Longer than any real one by far: 100 media sections of a browser take about 500 kB. */
export const MAX_CHARACTERS = 600_000;
const MAX_LINES = 12_000;
const MAX_FAULTS = 50;
/** Payload types end at 127. */
const MAX_FORMATS = 300;

/** @type {readonly Direction[]} */
export const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** @param {string} text @returns {Description} */
export function parse(text) {
  /** @type {Description} */
  const description = { lines: [], session: [], sections: [], faults: [], lineEnds: lineEndsOf(text) };
  const { lines, sections, faults } = description;
  const rows = text.slice(0, MAX_CHARACTERS).split(/\r\n|\n|\r/, MAX_LINES + 1);
  while (rows.length && rows.at(-1) === '') rows.pop();
  if (text.length > MAX_CHARACTERS || rows.length > MAX_LINES) faults.push({ code: 'tooLong', line: null });
  rows.slice(0, MAX_LINES).forEach((raw, at) => {
    const line = readLine(raw, at + 1);
    const fault = faultOf(line);
    if (fault && faults.length < MAX_FAULTS) faults.push(fault);
    if (line.type === 'm') sections.push(readSection(line, sections.length));
    line.section = sections.length - 1;
    lines.push(line);
    (sections.at(-1)?.lines ?? description.session).push(line);
  });
  return description;
}

/** @param {string} raw @param {number} number @returns {Line} */
function readLine(raw, number) {
  const [, type = '', value = ''] = /^([a-z])=(.*)$/.exec(raw) ?? [];
  const line = { number, raw, type, value, name: '', argument: /** @type {string|null} */ (null), section: -1 };
  if (type !== 'a') return line;
  const colon = value.indexOf(':');
  line.name = colon < 0 ? value.trim() : value.slice(0, colon).trim();
  line.argument = colon < 0 ? null : value.slice(colon + 1).trim();
  return line;
}

/** @param {Line} line @returns {Fault|null} */
function faultOf({ raw, type, number, value }) {
  if (raw === '') return { code: 'emptyLine', line: number };
  if (!type) return { code: /^\s*[a-z]\s*=/.test(raw) ? 'space' : 'noLine', line: number };
  if (!'vosiuepcbtrzkam'.includes(type)) return { code: 'unknownType', line: number, values: [type] };
  if (type === 'm' && !/^\S+ \d+(?:\/\d+)? \S+ \S/.test(value)) return { code: 'badMedia', line: number };
  return null;
}

/** @param {Line} line @param {number} index @returns {Section} */
function readSection({ value }, index) {
  const [kind = '', port = '', protocol = '', ...formats] = value.trim().split(/\s+/);
  return { index, kind, port: Number.parseInt(port, 10) || 0, protocol, formats: formats.slice(0, MAX_FORMATS), lines: [] };
}

/** @param {string} text @returns {Description['lineEnds']} */
function lineEndsOf(text) {
  const crlf = text.includes('\r\n');
  const alone = /(?:^|[^\r])\n|\r(?!\n)/.test(text.slice(0, MAX_CHARACTERS));
  return crlf ? (alone ? 'mixed' : 'crlf') : 'lf';
}

/** @param {readonly Line[]} lines @param {string} name */
export function attributes(lines, name) {
  return lines.filter((line) => line.name === name);
}

/**
 * An attribute's value in a section, or the session's where it stands for all (RFC 8866 §5.13).
 * @param {Description} description @param {Section} section @param {string} name
 */
export function attribute(description, section, name) {
  return attributes(section.lines, name)[0] ?? attributes(description.session, name)[0] ?? null;
}

/** @param {Section} section */
export function midOf(section) {
  return attributes(section.lines, 'mid')[0]?.argument ?? null;
}

/** `sendrecv` where nothing is said (RFC 8866 §6.7). @param {Description} description @param {Section} section @returns {Direction} */
export function directionOf(description, section) {
  for (const lines of [section.lines, description.session]) {
    for (const { name } of lines) if (DIRECTIONS.includes(/** @type {Direction} */ (name))) return /** @type {Direction} */ (name);
  }
  return 'sendrecv';
}

/** Bundled into another section, port 0 does not mean refused (RFC 9143 §6). @param {Section} section */
export function isRejected(section) {
  return section.port === 0 && attributes(section.lines, 'bundle-only').length === 0;
}

/** @param {Section} section */
export function isRtp(section) {
  return /RTP\//.test(section.protocol);
}
