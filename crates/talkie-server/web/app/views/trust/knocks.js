/**
 * Those who ask to be let in: cards over the stage that stay until somebody answers. Quiet, and in a live
 * region, so that a screen reader tells of them.
 * @module
 */
import { strings } from '../../strings.js';
import { h, keyed } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {Knock} from '../../types.js' */
/** @typedef {(id: string, admit: boolean) => void} Answer */

/** @param {AppStore} store @param {Answer} answer @param {Cleanup} cleanup */
export function knocks(store, answer, cleanup) {
  const kept = new Map();
  const element = h('div', { class: 'knocks', role: 'status', 'aria-live': 'polite', data: { testid: 'knocks' } });
  cleanup.add(
    store.subscribe((s) => s.knocks, (all) => {
      keyed(element, all, { key: ({ id }) => id, create: (knock) => card(knock, answer) }, kept);
    }),
  );
  return element;
}

/** @param {Knock} knock @param {Answer} answer */
function card(knock, answer) {
  const { id, name, trusted } = knock;
  const t = strings.people;
  return h(
    'div',
    { class: 'knock', data: { testid: 'knock', knock: id } },
    icon('knock'),
    h('p', {}, h('bdi', {}, trusted ? t.knocking(name) : t.untrusted)),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'button small', 'aria-label': t.refuseName(name), data: { testid: 'knock-refuse' }, on: { click: () => answer(id, false) } }, t.refuse),
      // Without the key they could not talk with anybody inside.
      trusted && h('button', { type: 'button', class: 'button small primary', 'aria-label': t.admitName(name), data: { testid: 'knock-admit' }, on: { click: () => answer(id, true) } }, t.admit),
    ),
  );
}
