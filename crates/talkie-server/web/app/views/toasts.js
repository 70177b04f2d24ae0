/**
 * Short notes that come and go by themselves. Their place is in the page from the start, so that screen
 * readers announce what is put there.
 * @module
 */
import { dismissToast } from '../state.js';
import { strings } from '../strings.js';
import { h, keyed } from '../ui/dom.js';
import { icon } from '../ui/icons.js';

/** @import {AppStore} from '../state.js' */

/** @type {Record<import('../types.js').Toast['kind'], import('../ui/icons.js').IconName|null>} */
const ICONS = { info: null, good: 'check', bad: 'warning' };

/** @param {AppStore} store @param {HTMLElement} place */
export function showToasts(store, place) {
  const kept = new Map();
  store.subscribe((s) => s.toasts, (toasts) => {
    keyed(place, toasts, {
      key: (toast) => String(toast.id),
      create: ({ id, kind, text }) => {
        const name = ICONS[kind];
        return h(
          'div',
          { class: 'toast', data: { testid: 'toast', kind } },
          name && icon(name),
          h('span', { dir: 'auto' }, text),
          h('button', { type: 'button', class: 'icon-button', 'aria-label': strings.dismiss, on: { click: () => dismissToast(store, id) } }, icon('close')),
        );
      },
    }, kept);
  });
}
