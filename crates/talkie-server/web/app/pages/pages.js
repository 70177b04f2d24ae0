/**
 * The pages beside the call, each loaded only when its address is opened. A page's module exports what
 * `Loaded` says.
 * @module
 */

/** @import {AppStore} from '../state.js' */
/** @import {View} from '../ui/dom.js' */

/**
 * @typedef {object} Loaded
 * @property {string} title
 * @property {(app: {store: AppStore, home: () => void}) => View} view
 */

/** @typedef {{load: () => Promise<Loaded>}} Page */

/** @type {Record<string, Page>} */
const PAGES = {
  '/check': { load: () => import('./check/check.js') },
  '/sdp': { load: () => import('./sdp/sdp.js') },
  '/compare': { load: () => import('./compare/view.js') },
};

/** @param {string} pathname @returns {Page|null} */
export function pageAt(pathname) {
  const path = pathname.replace(/\/$/, '');
  return Object.hasOwn(PAGES, path) ? PAGES[path] ?? null : null;
}
