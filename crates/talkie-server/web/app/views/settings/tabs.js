/**
 * Tabs (WAI-ARIA pattern): Tab goes to the chosen one and on into its panel; arrow keys, Home and End
 * choose another. A panel is made when it is first shown.
 * @module
 */
import { h } from '../../ui/dom.js';

/** @typedef {{name: string, title: string, make: () => Promise<HTMLElement|null>}} Tab */

/**
 * @param {readonly Tab[]} all
 * @param {{label: string, first: string}} how
 */
export function tabs(all, { label, first }) {
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label });
  const panels = h('div', { class: 'tab-panels' });
  /** @type {Map<string, {tab: HTMLButtonElement, panel: HTMLElement, made: boolean}>} */
  const parts = new Map();
  /** @param {string} name @param {boolean} [focus] */
  const show = (name, focus = false) => {
    for (const [other, { tab, panel }] of parts) {
      const chosen = other === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      panel.hidden = !chosen;
    }
    const part = parts.get(name);
    if (!part) return;
    if (focus) part.tab.focus();
    part.tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (part.made) return;
    part.made = true;
    void all.find((one) => one.name === name)?.make().then((content) => content && part.panel.append(content));
  };
  for (const { name, title } of all) {
    const [tabId, panelId] = [`tab-${name}`, `panel-${name}`];
    const tab = h('button', { type: 'button', role: 'tab', class: 'tab', id: tabId, 'aria-controls': panelId, data: { testid: tabId }, on: { click: () => show(name) } }, title);
    const panel = h('div', { role: 'tabpanel', class: 'tab-panel', id: panelId, 'aria-labelledby': tabId, tabindex: 0, data: { testid: panelId } });
    parts.set(name, { tab, panel, made: false });
    list.append(tab);
    panels.append(panel);
  }
  const names = all.map((tab) => tab.name);
  list.addEventListener('keydown', (event) => {
    const at = names.findIndex((name) => parts.get(name)?.tab === document.activeElement);
    const ahead = getComputedStyle(list).direction === 'rtl' ? -1 : 1;
    const to = { ArrowRight: at + ahead, ArrowLeft: at - ahead, Home: 0, End: names.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    show(/** @type {string} */ (names.at(to % names.length)), true);
  });
  show(first);
  return h('div', { class: 'tabbed' }, list, panels);
}
