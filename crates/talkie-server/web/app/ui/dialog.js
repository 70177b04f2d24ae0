/**
 * A modal dialog: the browser's own, so that focus stays inside, Escape closes it and what was focused
 * before gets the focus back.
 * @module
 */
import { strings } from '../strings.js';
import { h } from './dom.js';
import { icon } from './icons.js';

/** @import {Child} from './dom.js' */

let ids = 0;

/**
 * @param {{title: string, testid: string, wide?: boolean, closed?: () => void}} how `closed`: however it came about
 * @param {Child[]} content
 * @returns {{element: HTMLDialogElement, open: () => void, close: () => void}}
 */
export function dialog({ title, testid, wide = false, closed }, ...content) {
  const heading = `dialog-${++ids}`;
  const element = h(
    'dialog',
    { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': heading, data: { testid } },
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { id: heading }, title),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': strings.close, title: strings.close, data: { testid: `${testid}-close` }, on: { click: () => element.close() } }, icon('close')),
    ),
    h('div', { class: 'dialog-body' }, ...content),
  );
  element.addEventListener('close', () => closed?.());
  // A click beside it closes it, as Escape does.
  element.addEventListener('click', (event) => {
    if (event.target === element) element.close();
  });
  return {
    element,
    open() {
      if (!element.isConnected) document.body.append(element);
      if (!element.open) element.showModal();
    },
    close: () => element.close(),
  };
}

/**
 * One that is made for a single showing and leaves the page when it is closed.
 * @param {Parameters<typeof dialog>[0]} how
 * @param {Child[]} content
 */
export function showDialog(how, ...content) {
  const shown = dialog({ ...how, closed: () => (shown.element.remove(), how.closed?.()) }, ...content);
  shown.open();
  return shown;
}
