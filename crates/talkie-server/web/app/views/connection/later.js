/**
 * A view whose module is loaded when it is wanted: an empty place that it takes as soon as it is there.
 * @module
 */
import { h } from '../../ui/dom.js';

/** @import {View} from '../../ui/dom.js' */

/** @param {() => Promise<View>} load @returns {View} */
export function later(load) {
  const element = h('div', { class: 'panel-body', 'aria-busy': 'true' });
  let gone = false;
  /** @type {View|null} */
  let loaded = null;
  load().then((view) => {
    if (gone) return view.dispose();
    loaded = view;
    element.removeAttribute('aria-busy');
    element.append(view.element);
    return undefined;
  }).catch((error) => console.warn('talkie:', error));
  return {
    element,
    dispose() {
      gone = true;
      loaded?.dispose();
    },
  };
}
