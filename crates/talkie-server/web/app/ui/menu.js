/**
 * A button that opens a menu above or below itself. Arrow keys, Home and End move, Escape closes and
 * gives the focus back (WAI-ARIA menu button pattern).
 * @module
 */
import { h } from './dom.js';
import { icon } from './icons.js';

/** @import {IconName} from './icons.js' */

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {() => void} press
 * @property {string} [testid]
 * @property {IconName} [icon]
 * @property {boolean} [checked] makes it a choice among others
 */

let ids = 0;

/**
 * Turns `button` into one that opens a menu.
 * @param {HTMLButtonElement} button
 * @param {{label: string, testid: string, items: () => MenuItem[]}} how `items` is asked at each opening
 * @returns {{element: HTMLElement, close: () => void}} what to put into the page: the button with its menu
 */
export function menuButton(button, { label, testid, items }) {
  const list = h('div', { class: 'menu', role: 'menu', id: `menu-${++ids}`, 'aria-label': label, hidden: true, data: { testid } });
  const element = h('span', { class: 'menu-place' }, button, list);
  const entries = () => /** @type {HTMLElement[]} */ ([...list.children]);
  const close = () => {
    if (list.hidden) return;
    const inside = list.contains(document.activeElement);
    list.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    if (inside) button.focus();
  };
  /** @param {Event} event */
  const outside = (event) => {
    if (event.target instanceof Node && !element.contains(event.target)) close();
  };
  const open = () => {
    list.replaceChildren(...items().map((item) => entry(item, close)));
    list.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    document.addEventListener('pointerdown', outside, true);
    (entries().find((one) => one.getAttribute('aria-checked') === 'true') ?? entries()[0])?.focus();
  };
  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-controls', list.id);
  button.addEventListener('click', () => (list.hidden ? open() : close()));
  element.addEventListener('keydown', (event) => {
    if (list.hidden) return;
    const all = entries();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') close();
    if (event.key === 'Escape') event.stopPropagation();
    if (to === undefined) return;
    event.preventDefault();
    all.at(to % all.length)?.focus();
  });
  return { element, close };
}

/** @param {MenuItem} item @param {() => void} close */
function entry({ label, press, testid, icon: name, checked }, close) {
  return h(
    'button',
    {
      type: 'button', class: 'menu-item', role: checked === undefined ? 'menuitem' : 'menuitemradio', tabindex: -1,
      ...(checked !== undefined && { 'aria-checked': String(checked) }),
      ...(testid && { data: { testid } }),
      on: {
        click: () => {
          close();
          press();
        },
      },
    },
    name && icon(name),
    h('span', {}, label),
    checked && icon('check'),
  );
}
