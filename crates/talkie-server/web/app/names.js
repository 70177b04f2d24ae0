/**
 * Room names that can be said over the phone, room keys that cannot be guessed, and the rules for
 * names that other people typed.
 * @module
 */

// 64 words each, so that a name carries 18 bits: enough to not meet strangers by accident. It is no
// secret; the key is.
const FIRST = (
  'amber ample apt bold brave brief bright brisk calm candid clear clever cosy crisp deep eager early ' +
  'easy even fair fine fond fresh gentle glad golden grand happy humble ideal jolly keen kind light ' +
  'lively lucky lunar mellow merry mild modest neat noble open patient plain polite proud quick quiet ' +
  'rapid ready royal serene silent silver simple sincere smart solar steady sunny tidy warm'
).split(' ');
const SECOND = (
  'acorn alder aspen badger beaver birch bison breeze brook canyon cedar cliff clover comet coral crane ' +
  'creek dolphin dune eagle ember falcon fern finch forest garden glacier harbor hazel heron island ivy ' +
  'juniper lagoon lake lark linden lynx maple marten meadow moss oak orchid otter owl panda pebble pine ' +
  'plover poplar prairie puffin raven reef river robin sage seal sparrow spruce swan tulip willow'
).split(' ');
const THIRD = (
  'anchor arch atlas attic banjo basket beacon bell bench bonfire bridge cabin candle canoe castle cello ' +
  'chapel clock compass cottage desk ferry flute fountain gallery gate guitar hammock hearth journal ' +
  'kettle kite ladder lantern library lodge loft mill mirror needle oboe paddle page palette pavilion ' +
  'piano pier porch quill quilt saddle sail satchel shelf sketch stage studio table teapot tent tower ' +
  'train viola window'
).split(' ');

export const WORDS = /** @type {const} */ ([FIRST, SECOND, THIRD]);

/** @returns {string} such as `calm-otter-bridge` */
export function randomRoomName() {
  const draw = crypto.getRandomValues(new Uint32Array(WORDS.length));
  // Each list's length divides 2^32, so the remainder is not biased.
  return WORDS.map((list, i) => list[(draw[i] ?? 0) % list.length]).join('-');
}

/** @returns {string} 128 random bits in base64url */
export function randomKey() {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * The room name that the protocol allows (docs/signaling.md, "Names") nearest to what was typed:
 * blanks and underscores become dashes. Null when there is none.
 * @param {string} text
 */
export function toRoomName(text) {
  const name = text.trim().toLowerCase().replace(/[\s_]+/g, '-').replace(/-+/g, '-').replace(/^-|-$/g, '');
  return /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(name) ? name : null;
}

/** @param {string} fragment without the `#` */
export function toKey(fragment) {
  return /^[A-Za-z0-9_-]{22,128}$/.test(fragment) ? fragment : null;
}

/**
 * What somebody pasted or typed to join by: a whole link, `/r/room#key`, `room#key` or a bare name.
 * @param {string} text
 * @returns {{room: string, key: string|null}|null}
 */
export function parseInvite(text) {
  const trimmed = text.trim();
  const [path = '', fragment = ''] = trimmed.split('#', 2);
  const bare = /^(?:[a-z][a-z0-9+.-]*:)?\/\/|^\//i.test(path) ? roomOfPath(path) : path;
  const room = bare === null ? null : toRoomName(bare);
  return room === null ? null : { room, key: toKey(fragment) };
}

/** @param {string} path a path or a URL without its fragment */
export function roomOfPath(path) {
  const match = /\/r\/([^/?]+)\/?(?:\?.*)?$/.exec(path);
  if (!match?.[1]) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return null;
  }
}

// Control characters, and those that reorder or hide text: somebody else's name or file name must
// not be able to dress up as something else.
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** @param {unknown} name @returns {string} at most 64 characters, possibly empty */
export function cleanName(name) {
  if (typeof name !== 'string') return '';
  return [...name.slice(0, 1024).replace(UNSAFE, '').trim()].slice(0, 64).join('').trim();
}

/**
 * The name, with a number behind it when somebody else has it already.
 * @param {string} name
 * @param {readonly string[]} taken
 */
export function distinctName(name, taken) {
  let distinct = name;
  for (let n = 2; taken.includes(distinct); n += 1) distinct = `${name} (${n})`;
  return distinct;
}

/**
 * A file name without any path, harmless to show and to save under.
 * @param {string} name
 */
export function cleanFileName(name) {
  const base = name.slice(0, 4096).split(/[/\\]/).pop() ?? '';
  const clean = base.replace(UNSAFE, '').replace(/[<>:"|?*]/g, '_').trim().replace(/^\.+/, '');
  return [...clean].slice(-200).join('') || 'file';
}

/** @param {string} name @returns {string} one or two letters for an avatar */
export function initials(name) {
  const words = name.split(/[\s-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase() || '?';
}

/** @param {string} text @returns {number} a hue in degrees, the same for the same text */
export function hueOf(text) {
  let hash = 0;
  for (const char of text) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % 360;
}
