/**
 * What the pages beside the call have in common: their sheet, the way home, a heading, tabs, and a
 * button that copies.
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

let ids = 0;

/**
 * Tabs as the ARIA practices have them: one stop for Tab, arrow keys move between them.
 * @param {{label: string, tabs: readonly {name: string, title: string, panel: HTMLElement}[], shown?: (name: string) => void}} how
 */
export function tabs({ label, tabs: all, shown }) {
  const base = `tabs-${++ids}`;
  const buttons = all.map(({ name, title, panel }, at) => {
    panel.id = `${base}-${name}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `${base}-${name}-tab`);
    panel.tabIndex = 0;
    return h('button', { type: 'button', role: 'tab', class: 'page-tab', id: `${base}-${name}-tab`, 'aria-controls': panel.id, data: { testid: `tab-${name}` }, on: { click: () => show(at) } }, title);
  });
  /** @param {number} at */
  const show = (at) => {
    buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === at));
      button.tabIndex = index === at ? 0 : -1;
      const panel = all[index]?.panel;
      if (panel) panel.hidden = index !== at;
    });
    shown?.(all[at]?.name ?? '');
  };
  /** @param {KeyboardEvent} event */
  const keydown = (event) => {
    const now = buttons.findIndex((button) => button === document.activeElement);
    const steps = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 };
    const next = Object.hasOwn(steps, event.key) ? steps[/** @type {keyof typeof steps} */ (event.key)] : null;
    if (next === null) return;
    event.preventDefault();
    const at = (next + buttons.length) % buttons.length;
    show(at);
    buttons[at]?.focus();
  };
  const element = h('div', { class: 'page-tabs', role: 'tablist', 'aria-label': label, on: { keydown } }, ...buttons);
  show(0);
  return { element, show: (/** @type {string} */ name) => show(all.findIndex((tab) => tab.name === name)) };
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
