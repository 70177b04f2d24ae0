/**
 * All text that a person reads, in the page's language. The words stand in `strings/LANGUAGE/`, a file
 * a part of the app; only one language is loaded. Sections that few visitors see are loaded by the page
 * that needs them (`section`).
 * @module
 */
import { currentLanguage } from './strings/language.js';

export const language = currentLanguage();

const dictionaries = {
  en: () => import('./strings/en.js'),
  zh: () => import('./strings/zh.js'),
};

/** @type {typeof import('./strings/en.js').default} */
export const strings = (await dictionaries[language]()).default;

/** How dates and numbers are written. @type {Intl.LocalesArgument} */
export const locale = language === 'en' ? undefined : language;

if (typeof document !== 'undefined') document.documentElement.lang = language;

const sections = {
  settings: { en: () => import('./strings/en/settings.js'), zh: () => import('./strings/zh/settings.js') },
  check: { en: () => import('./strings/en/check.js'), zh: () => import('./strings/zh/check.js') },
  sdp: { en: () => import('./strings/en/sdp.js'), zh: () => import('./strings/zh/sdp.js') },
  sending: { en: () => import('./strings/en/sending.js'), zh: () => import('./strings/zh/sending.js') },
  connectionPanel: { en: () => import('./strings/en/connection-panel.js'), zh: () => import('./strings/zh/connection-panel.js') },
  compare: { en: () => import('./strings/en/compare.js'), zh: () => import('./strings/zh/compare.js') },
  sdpLines: { en: () => import('./strings/en/sdp-lines.js'), zh: () => import('./strings/zh/sdp-lines.js') },
};

/**
 * The words of a part that few visitors see, loaded with it.
 * @template {keyof typeof sections} N
 * @param {N} name
 * @returns {Promise<Awaited<ReturnType<(typeof sections)[N]['en']>>['default']>}
 */
export async function section(name) {
  return /** @type {any} */ ((await sections[name][language]()).default);
}

/** @param {string} code */
export function errorText(code) {
  return (Object.hasOwn(strings.errors, code) && strings.errors[code]) || strings.errorOther;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** @param {number} bytes */
export function sizeText(bytes) {
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

/** @param {number} seconds */
export function timeText(seconds) {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return strings.units.seconds(Math.max(1, Math.ceil(seconds)));
  if (seconds < 3600) return strings.units.minutes(Math.ceil(seconds / 60));
  return strings.units.hours((seconds / 3600).toFixed(1));
}
