/**
 * The row of reactions over the controls. It stays open for several; Escape or a press elsewhere closes.
 * @module
 */
import { REACTIONS } from '../../peer/messages/reaction.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';

/** @import {Reaction} from '../../peer/messages/reaction.js' */

/** @param {(emoji: Reaction) => void} send */
export function reactionPicker(send) {
  const buttons = REACTIONS.map((emoji, at) =>
    h('button', { type: 'button', class: 'reaction-button', data: { testid: `react-${at}` }, on: { click: () => send(emoji) } }, emoji),
  );
  const element = h('div', { class: 'reaction-picker', role: 'group', 'aria-label': strings.toolbar.react, hidden: true, data: { testid: 'reaction-picker' } }, ...buttons);
  /** @type {HTMLElement|null} */
  let opener = null;
  const close = () => {
    const inside = element.contains(document.activeElement);
    element.hidden = true;
    document.removeEventListener('pointerdown', outside, true);
    if (inside) opener?.focus();
  };
  /** @param {Event} event */
  const outside = (event) => {
    if (event.target instanceof Node && !element.contains(event.target) && !opener?.contains(event.target)) close();
  };
  element.addEventListener('keydown', (event) => {
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === 'Escape') close();
    if (event.key === 'Escape' || to !== undefined) event.preventDefault();
    if (to !== undefined) buttons.at(to % buttons.length)?.focus();
  });
  return {
    element,
    /** @param {HTMLElement} button where the focus goes back to */
    toggle(button) {
      if (!element.hidden) return close();
      opener = button;
      element.hidden = false;
      document.addEventListener('pointerdown', outside, true);
      buttons[0]?.focus();
    },
  };
}
