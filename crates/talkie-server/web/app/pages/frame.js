/**
 * What the pages beside the call have in common: their sheet, the way home, a heading, and a button that
 * copies.
 * @module
 */
import { strings } from '../strings.js';
import { h } from '../ui/dom.js';
import { logo } from '../ui/icons.js';

/** @import {Child} from '../ui/dom.js' */

/** Waits for the page's sheets, so that nothing is drawn without them. @param {'check'|'sdp'|'compare'} page */
export function loadSheets(page) {
  return Promise.all([loadSheet('/styles/pages.css'), loadSheet(`/styles/${page}.css`)]);
}

/** @param {string} href @returns {Promise<void>} */
function loadSheet(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((loaded) => {
    document.head.append(h('link', { rel: 'stylesheet', href, on: { load: () => loaded(), error: () => loaded() } }));
  });
}

/**
 * @param {{title: string, lead: string, testid: string, home: () => void}} about
 * @param {Child[]} content
 */
export function pageFrame({ title, lead, testid, home }, ...content) {
  /** @param {MouseEvent} event */
  const goHome = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return; // a new tab is wanted
    event.preventDefault();
    home();
  };
  return h(
    'div',
    { class: 'side-page', data: { testid } },
    h('header', { class: 'page-head' }, h('a', { class: 'brand', href: '/', data: { testid: 'page-home' }, on: { click: goHome } }, logo(), h('span', {}, strings.appName))),
    h('main', { class: 'page-body' }, h('div', { class: 'page-intro' }, h('h1', {}, title), h('p', {}, lead)), ...content),
  );
}

/**
 * @param {{label: string, done: string, failed: string, testid: string, text: () => string|Promise<string>, mark?: Child, primary?: boolean}} how
 *   `done`, `failed`: said for a moment
 */
export function copyButton({ label, done, failed, testid, text, mark = null, primary = false }) {
  const words = h('span', { 'aria-live': 'polite' }, label);
  const button = h('button', { type: 'button', class: primary ? 'button primary' : 'button', data: { testid } }, mark, words);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(await text());
      words.textContent = done;
    } catch {
      words.textContent = failed;
    }
    setTimeout(() => (words.textContent = label), 2500);
  });
  return button;
}
