/**
 * Changes a description: leaves out codecs with all that belongs to them, turns directions. Lines that
 * are not concerned stay as they are. Pure.
 * @module
 */
import { codecsOf, halves, isCompanion, servedBy } from './codecs.js';
import { directionOf, DIRECTIONS, isRtp } from './parse.js';

/** @import {Description, Direction, Line, Section} from './parse.js' */
/** @typedef {{removed: ReadonlySet<string>, direction: Direction|null}} Change of one section; direction null: as it is */

/**
 * The payload types that go when these go: who retransmits or repeats one of them goes, too.
 * @param {Section} section @param {Iterable<string>} removed
 */
export function withCompanions(section, removed) {
  const gone = new Set(removed);
  const codecs = codecsOf(section);
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const codec of codecs) if (servedBy(codec).some((payload) => gone.has(payload))) gone.add(codec.payload);
  }
  return gone;
}

/** Whether a codec is left that carries media. @param {Section} section @param {ReadonlySet<string>} gone */
export function leavesCodec(section, gone) {
  return codecsOf(section).some((codec) => !gone.has(codec.payload) && !isCompanion(codec));
}

/**
 * @param {Description} description
 * @param {ReadonlyMap<number, Change>} changes by the section's index
 * @returns {string} with CRLF, as RFC 8866 §5 has it
 */
export function rewrite(description, changes) {
  const lines = description.session.map((line) => line.raw);
  for (const section of description.sections) {
    const change = changes.get(section.index);
    lines.push(...(change ? rewriteSection(description, section, change) : section.lines.map((line) => line.raw)));
  }
  return lines.map((line) => `${line}\r\n`).join('');
}

/** @param {Description} description @param {Section} section @param {Change} change */
function rewriteSection(description, section, { removed, direction }) {
  const gone = isRtp(section) ? withCompanions(section, removed) : new Set();
  const lines = section.lines.flatMap((line) => withoutPayloads(line, gone));
  return direction && direction !== directionOf(description, section) ? turned(lines, direction) : lines;
}

/** @param {Line} line @param {ReadonlySet<string>} gone @returns {string[]} */
function withoutPayloads({ type, name, argument, raw, value }, gone) {
  if (gone.size === 0) return [raw];
  if (type === 'm') {
    const [kind, port, protocol, ...formats] = value.trim().split(/\s+/);
    return [`m=${[kind, port, protocol, ...formats.filter((payload) => !gone.has(payload))].join(' ')}`];
  }
  if (['rtpmap', 'fmtp', 'rtcp-fb', 'imageattr'].includes(name)) return gone.has(halves(argument ?? '')[0]) ? [] : [raw];
  if (name === 'rid') return ridWithout(raw, argument ?? '', gone);
  return [raw];
}

/** A layer may be bound to payload types (RFC 8851 §5). @param {string} raw @param {string} argument @param {ReadonlySet<string>} gone */
function ridWithout(raw, argument, gone) {
  const [rid = '', direction = '', restrictions = ''] = argument.split(/\s+/);
  const bound = /(?:^|;)pt=([\d,]+)/.exec(restrictions);
  if (!bound) return [raw];
  const left = (bound[1] ?? '').split(',').filter((payload) => !gone.has(payload));
  const others = restrictions.split(';').filter((part) => !part.startsWith('pt='));
  const kept = [...(left.length ? [`pt=${left.join(',')}`] : []), ...others].join(';');
  return [`a=rid:${rid} ${direction}${kept ? ` ${kept}` : ''}`];
}

/** @param {string[]} lines @param {Direction} direction */
function turned(lines, direction) {
  const old = lines.findIndex((line) => DIRECTIONS.some((name) => line === `a=${name}`));
  if (old >= 0) return lines.toSpliced(old, 1, `a=${direction}`);
  // It stood in the session, or nowhere: attributes come last in a section, so anywhere after mid will do.
  const mid = lines.findIndex((line) => line.startsWith('a='));
  return lines.toSpliced(mid < 0 ? lines.length : mid, 0, `a=${direction}`);
}
