/**
 * The place for captions, over the lower edge of the stage. It is empty and hidden until a feature that
 * has words sets `captions` in the store: a caption is {id, name, text}; one that grows keeps its id, and
 * who sets them takes them away again. The last few are shown, as text, whatever their language.
 * @module
 */
import { strings } from '../../strings.js';
import { h, keyed } from '../../ui/dom.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {Caption} from '../../types.js' */

const SHOWN = 3;

/** @param {AppStore} store @param {Cleanup} cleanup */
export function captions(store, cleanup) {
  const element = h('div', { class: 'captions', role: 'log', 'aria-label': strings.room.captions, hidden: true, data: { testid: 'captions' } });
  const kept = new Map();
  cleanup.add(
    store.subscribe((s) => s.captions, (all) => {
      const shown = all.slice(-SHOWN);
      keyed(element, shown, { key: (caption) => caption.id, create: line }, kept);
      element.hidden = shown.length === 0;
    }),
  );
  return element;
}

/** @param {Caption} first */
function line(first) {
  const text = h('span', { dir: 'auto' });
  const element = h('p', { class: 'caption' }, h('bdi', { class: 'caption-name' }, first.name), text);
  /** @param {Caption} caption */
  const update = (caption) => (text.textContent = caption.text);
  return Object.assign(element, { update });
}
