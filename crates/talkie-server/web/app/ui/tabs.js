/**
 * Tabs (WAI-ARIA pattern): Tab goes to the chosen one and on into its panel; arrow keys, Home and End
 * choose another.
 * @module
 */
import { h } from './dom.js';

/** @typedef {{name: string, title: string, panel: HTMLElement, make?: () => Promise<HTMLElement|null>}} Tab `make`: what the panel gets when it is first shown */

let lists = 0;

/**
 * @param {readonly Tab[]} all
 * @param {{label: string, first?: string, shown?: (name: string) => void}} how
 * @returns {HTMLElement} the list; the panels go where they are wanted
 */
export function tabs(all, { label, first = all[0]?.name ?? '', shown }) {
  const base = `tabs-${++lists}`;
  /** @type {Set<string>} */
  const made = new Set();
  const buttons = all.map(({ name, title, panel }) => {
    panel.id = `${base}-${name}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `${base}-${name}-tab`);
    panel.tabIndex = 0;
    return h('button', { type: 'button', role: 'tab', class: 'tab', id: `${base}-${name}-tab`, 'aria-controls': panel.id, data: { testid: `tab-${name}` }, on: { click: () => show(name) } }, title);
  });
  /** @param {string} chosen */
  const show = (chosen) => {
    all.forEach(({ name, panel, make }, at) => {
      const button = buttons[at];
      button?.setAttribute('aria-selected', String(name === chosen));
      if (button) button.tabIndex = name === chosen ? 0 : -1;
      panel.hidden = name !== chosen;
      if (name !== chosen) return;
      button?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      if (!made.has(name)) void make?.().then((content) => content && panel.append(content));
      made.add(name);
    });
    shown?.(chosen);
  };
  /** @param {KeyboardEvent} event */
  const keydown = (event) => {
    const at = buttons.findIndex((button) => button === document.activeElement);
    const ahead = getComputedStyle(list).direction === 'rtl' ? -1 : 1;
    const to = { ArrowRight: at + ahead, ArrowLeft: at - ahead, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    show(all.at(to % all.length)?.name ?? first);
    buttons.at(to % all.length)?.focus();
  };
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label, on: { keydown } }, ...buttons);
  show(first);
  return list;
}
