/**
 * The relative paths of an offer, as somebody else names them, made harmless to show and to save under:
 * no way up or out, no drive, no name that an operating system keeps for itself, no control or direction
 * characters, no two files with one name. Pure.
 * @module
 */
import { cleanFileName } from '../names.js';

export const DEPTH_LIMIT = 24;
const NAME_BYTES = 200;
/** Windows has devices behind these, with any ending. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/**
 * @param {readonly string[]} raw
 * @returns {string[]|null} as many, all different also where case does not count; null: too deep
 */
export function cleanPaths(raw) {
  const names = new Names();
  const clean = [];
  for (const path of raw) {
    const segments = path.split(/[/\\]+/).filter((segment) => !/^\s*\.{0,2}\s*$/.test(segment)).map(cleanSegment);
    if (segments.length > DEPTH_LIMIT) return null;
    clean.push(names.take(segments.length > 0 ? segments : ['file']));
  }
  return clean;
}

/** @param {string} segment */
export function cleanSegment(segment) {
  // Half a character can't be encoded.
  const whole = segment.slice(-1000).replace(/\p{Surrogate}/gu, '');
  let name = cleanFileName(whole).replace(/[. ]+$/, '');
  const encoder = new TextEncoder();
  // The end is kept, because it says what kind of file it is.
  while (encoder.encode(name).length > NAME_BYTES) name = [...name].slice(Math.max(1, [...name].length - NAME_BYTES)).join('');
  if (name === '') return 'file';
  return RESERVED.test(name) ? `_${name}` : name;
}

/** Which names are taken, as a file system that does not know case would see it. */
class Names {
  /** @type {Map<string, 'file'|'folder'>} */ #taken = new Map();
  /** @type {Map<string, number>} */ #numbers = new Map();
  /** Folders that had to be called otherwise. @type {Map<string, string>} */ #renamed = new Map();

  /** @param {string[]} segments @returns {string} */
  take(segments) {
    let folder = '';
    for (const name of segments.slice(0, -1)) folder = this.#folder(folder, name);
    const path = this.#free(join(folder, segments.at(-1) ?? 'file'));
    this.#taken.set(keyOf(path), 'file');
    return path;
  }

  /** @param {string} parent @param {string} name */
  #folder(parent, name) {
    const wanted = join(parent, name);
    const known = this.#renamed.get(wanted);
    if (known) return known;
    if (this.#taken.get(keyOf(wanted)) === 'folder') return wanted;
    const path = this.#free(wanted);
    this.#taken.set(keyOf(path), 'folder');
    if (path !== wanted) this.#renamed.set(wanted, path);
    return path;
  }

  /** @param {string} path @returns {string} itself, or with a number before its ending */
  #free(path) {
    const key = keyOf(path);
    if (!this.#taken.has(key)) return path;
    const [, stem = path, ending = ''] = /^(.*?)(\.[^./]{1,16})?$/s.exec(path) ?? [];
    // The last number is kept, or ten thousand equal names would take fifty million steps.
    let number = this.#numbers.get(key) ?? 2;
    while (this.#taken.has(keyOf(`${stem} (${number})${ending}`))) number += 1;
    this.#numbers.set(key, number + 1);
    return `${stem} (${number})${ending}`;
  }
}

/** @param {string} folder @param {string} name */
const join = (folder, name) => (folder ? `${folder}/${name}` : name);

/** @param {string} path */
const keyOf = (path) => path.normalize('NFC').toLowerCase();
