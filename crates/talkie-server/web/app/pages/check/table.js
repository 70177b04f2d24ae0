/**
 * A table with a caption and column headings, in a frame of its own that can be scrolled.
 * @module
 */
import { h } from '../../ui/dom.js';

/** @import {Child} from '../../ui/dom.js' */

/** @param {{caption: string, columns: readonly string[], testid: string}} how */
export function table({ caption, columns, testid }) {
  const body = h('tbody');
  const element = h(
    'div',
    { class: 'table-frame', role: 'region', 'aria-label': caption, tabindex: '0' },
    h('table', { data: { testid } }, h('caption', { class: 'visually-hidden' }, caption), h('thead', {}, h('tr', {}, ...columns.map((column) => h('th', { scope: 'col' }, column)))), body),
  );
  return { element, body };
}

/** @param {readonly Child[]} cells @param {Record<string, string>} [data] */
export function tableRow(cells, data = {}) {
  return h('tr', { data }, ...cells.map((cell) => h('td', {}, cell)));
}
