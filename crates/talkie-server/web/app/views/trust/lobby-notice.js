/**
 * What the lobby says of the room before anybody enters: how private it is, who is in, whether it is
 * locked; and the button to enter, which asks to be let in when it is, and is not there for those whose
 * key does not fit.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { privacyLine } from './privacy.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {State} from '../../types.js' */

/** @param {AppStore} store @param {Cleanup} cleanup */
export function lobbyNotice(store, cleanup) {
  const inside = h('p', { class: 'lobby-inside', role: 'status', data: { testid: 'lobby-inside' } });
  cleanup.add(store.subscribe(insideWords, (words) => (inside.textContent = words)));
  const privacy = privacyLine(store);
  cleanup.add(store.subscribe(shutOut, (out) => (privacy.hidden = out)));
  return h('div', { class: 'lobby-notice' }, inside, privacy);
}

/** @param {Readonly<State>} s */
function insideWords({ door, waiting }) {
  const t = strings.trust;
  if (waiting) return t.waiting;
  if (!door || door.key === null || door.key === 'mismatch') return '';
  if (door.locked) return t.lockedRoom;
  return door.people === 0 ? t.nobodyInside : t.inside(door.people);
}

/** @param {Readonly<State>} s */
const shutOut = (s) => s.brokenKey || s.door?.key === 'mismatch';

/**
 * The buttons of the lobby's form.
 * @param {{store: AppStore, cancel: () => void}} app
 * @param {Cleanup} cleanup
 */
export function enterButtons({ store, cancel }, cleanup) {
  const t = strings.trust;
  const words = h('span', {});
  const lock = icon('lock');
  const enter = h('button', { class: 'button primary wide', data: { testid: 'enter' } }, lock, words);
  const withdraw = h('button', { type: 'button', class: 'button wide', data: { testid: 'knock-cancel' }, on: { click: cancel } }, t.cancel);
  cleanup.add(
    store.subscribe((s) => `${shutOut(s)} ${s.waiting} ${s.door?.locked === true}`, () => {
      const s = store.get();
      const locked = s.door?.locked === true;
      enter.hidden = shutOut(s) || s.waiting;
      withdraw.hidden = !s.waiting;
      lock.toggleAttribute('hidden', !locked);
      words.textContent = locked ? t.ask : strings.lobby.enter;
      if (s.waiting) queueMicrotask(() => withdraw.focus({ preventScroll: true }));
    }),
  );
  return [enter, withdraw];
}
