/**
 * The name that somebody gave themselves last time, kept in this browser.
 * @module
 */
import { cleanName } from './names.js';

const NAME_KEPT = 'talkie-name';

/** @returns {string} */
export function rememberedName() {
  try {
    return cleanName(localStorage.getItem(NAME_KEPT));
  } catch {
    return ''; // storage is switched off
  }
}

/** @param {string} name */
export function rememberName(name) {
  try {
    localStorage.setItem(NAME_KEPT, name);
  } catch {
    // Then it is asked for next time.
  }
}
