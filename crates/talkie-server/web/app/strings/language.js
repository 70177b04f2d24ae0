/**
 * Which language the page speaks: the one chosen here, else the first of the browser's that we have.
 * Another language is a folder beside `en` with the same files, a line here, and nothing else.
 * @module
 */

/** Each in its own words. */
export const LANGUAGES = /** @type {const} */ ({ en: 'English', zh: '中文' });

/** @typedef {keyof typeof LANGUAGES} Language */

const KEPT = 'talkie-language';

/** @param {unknown} tag @returns {Language|null} */
export function knownLanguage(tag) {
  const primary = String(tag ?? '').toLowerCase().split('-')[0] ?? '';
  return Object.hasOwn(LANGUAGES, primary) ? /** @type {Language} */ (primary) : null;
}

/**
 * @param {{asked?: string|null, kept?: string|null, preferred?: readonly string[]}} from
 * @returns {Language}
 */
export function chooseLanguage({ asked, kept, preferred = [] }) {
  for (const tag of [asked, kept, ...preferred]) {
    const known = knownLanguage(tag);
    if (known) return known;
  }
  return 'en';
}

/** @returns {Language} */
export function currentLanguage() {
  if (typeof location === 'undefined') return 'en'; // unit tests
  return chooseLanguage({ asked: new URLSearchParams(location.search).get('lang'), kept: keptLanguage(), preferred: navigator.languages });
}

function keptLanguage() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage is switched off
  }
}

/** @param {Language} language */
export function keepLanguage(language) {
  // The address's own wish would win over what was chosen.
  const address = new URL(location.href);
  if (address.searchParams.has('lang')) {
    address.searchParams.delete('lang');
    history.replaceState(history.state, '', address);
  }
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Then the browser's preference decides next time.
  }
}
