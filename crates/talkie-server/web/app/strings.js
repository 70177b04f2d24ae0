/**
 * All text that a person reads, in the page's language. The words stand in `strings/LANGUAGE/`, a file
 * a part of the app; only one language is loaded. Sections that few visitors see are loaded by the page
 * that needs them (`section`). Another language (`speak`) is put into the same objects, so that whoever
 * holds on to them has its words, and a call goes on while the page is drawn anew.
 * @module
 */
import { currentLanguage, keepLanguage } from './strings/language.js';

/** @import {Language} from './strings/language.js' */

let spoken = currentLanguage();

/** The page's language. */
export const language = () => spoken;

const dictionaries = {
  en: () => import('./strings/en.js'),
  zh: () => import('./strings/zh.js'),
};

/** @type {typeof import('./strings/en.js').default} */
export const strings = { ...(await dictionaries[spoken]()).default };

/** How dates and numbers are written. @returns {Intl.LocalesArgument} */
export const locale = () => localeOf(spoken);

if (typeof document !== 'undefined') document.documentElement.lang = spoken;

const sections = {
  settings: { en: () => import('./strings/en/settings.js'), zh: () => import('./strings/zh/settings.js') },
  check: { en: () => import('./strings/en/check.js'), zh: () => import('./strings/zh/check.js') },
  sdp: { en: () => import('./strings/en/sdp.js'), zh: () => import('./strings/zh/sdp.js') },
  sending: { en: () => import('./strings/en/sending.js'), zh: () => import('./strings/zh/sending.js') },
  connectionPanel: { en: () => import('./strings/en/connection-panel.js'), zh: () => import('./strings/zh/connection-panel.js') },
  compare: { en: () => import('./strings/en/compare.js'), zh: () => import('./strings/zh/compare.js') },
  sdpLines: { en: () => import('./strings/en/sdp-lines.js'), zh: () => import('./strings/zh/sdp-lines.js') },
};

/** @type {Map<keyof typeof sections, Promise<object>>} */
const opened = new Map();

/**
 * The words of a part that few visitors see, loaded with it.
 * @template {keyof typeof sections} N
 * @param {N} name
 * @returns {Promise<Awaited<ReturnType<(typeof sections)[N]['en']>>['default']>}
 */
export function section(name) {
  const words = opened.get(name) ?? sections[name][spoken]().then((module) => ({ ...module.default }));
  opened.set(name, words);
  return /** @type {any} */ (words);
}

/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {() => void} listener draws anew what shows words @returns {() => void} */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The page speaks another language from now on, and at the next visit. @param {Language} chosen */
export async function speak(chosen) {
  try {
    await learn(chosen);
  } catch (error) {
    // The server is away, perhaps: all is drawn anew nevertheless, and the choice stands where it stood.
    console.warn('talkie: language', error);
  }
  for (const listener of listeners) listener();
}

/** @param {Language} chosen */
async function learn(chosen) {
  const names = [...opened.keys()];
  const [modules, live] = await Promise.all([
    Promise.all([dictionaries[chosen](), ...names.map((name) => sections[name][chosen]())]),
    Promise.all(opened.values()),
  ]);
  [strings, ...live].forEach((words, at) => Object.assign(words, modules[at]?.default));
  spoken = chosen;
  document.documentElement.lang = chosen;
  keepLanguage(chosen);
}

/** English follows the browser's own habit. @param {Language} tag */
function localeOf(tag) {
  return tag === 'en' ? undefined : tag;
}

/** @param {string} code */
export function errorText(code) {
  return (Object.hasOwn(strings.errors, code) && strings.errors[code]) || strings.errorOther;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** @param {number} bytes */
export function sizeText(bytes) {
  // What would be rounded to 1000 of a unit is one of the next.
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes / 0.9995) / 3));
  const value = bytes / 1000 ** power;
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${UNITS[power]}`;
}

/** @param {number} seconds */
export function timeText(seconds) {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return strings.units.seconds(Math.max(1, Math.ceil(seconds)));
  if (seconds < 3600) return strings.units.minutes(Math.ceil(seconds / 60));
  return strings.units.hours((seconds / 3600).toLocaleString(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }));
}
