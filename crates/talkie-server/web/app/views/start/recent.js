/**
 * The rooms that somebody was in lately, on the start page: opened again by one click, forgotten by
 * another.
 * @module
 */
import { prefer, preferences } from '../../preferences.js';
import { forgetAllRooms, forgetRoom, recentRooms } from '../../recent.js';
import { locale, strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { switchField } from '../../ui/fields.js';
import { icon } from '../../ui/icons.js';

/** @import {RecentRoom} from '../../recent.js' */

/** @param {(room: string, key: string|null) => void} go */
export function recentSection(go) {
  const t = strings.home;
  const list = h('ul', { class: 'recent-list', data: { testid: 'recent-list' } });
  const none = h('p', { class: 'hint' }, t.recentNone);
  const all = h('button', { type: 'button', class: 'button small', data: { testid: 'forget-all' } }, t.forgetAll);
  const heading = h('h2', { tabindex: -1, id: 'recent' }, t.recentTitle);
  const draw = () => {
    const rooms = recentRooms();
    list.replaceChildren(...rooms.map((one) => entry(one, go, forget)));
    all.hidden = list.hidden = rooms.length === 0;
    none.hidden = rooms.length > 0 || !preferences.get().rememberRooms;
  };
  /** What had the focus is gone; it stays near. @param {() => void} how */
  const forget = (how) => {
    how();
    draw();
    (/** @type {HTMLElement|null} */ (list.querySelector('button')) ?? heading).focus();
  };
  all.addEventListener('click', () => forget(forgetAllRooms));
  const remember = switchField({
    label: t.remember, hint: t.recentHint, testid: 'remember-rooms', on: preferences.get().rememberRooms,
    change: (on) => {
      prefer({ rememberRooms: on });
      if (!on) forgetAllRooms();
      draw();
    },
  });
  draw();
  return h(
    'section',
    { class: 'card recent', 'aria-labelledby': 'recent', data: { testid: 'recent' } },
    h('div', { class: 'recent-head' }, heading, all),
    list,
    none,
    remember,
  );
}

/** @param {RecentRoom} one @param {(room: string, key: string|null) => void} go @param {(how: () => void) => void} forget */
function entry({ room, key, at }, go, forget) {
  const t = strings.home;
  return h(
    'li',
    {},
    h(
      'button',
      { type: 'button', class: 'recent-room', data: { testid: 'recent-room', room }, on: { click: () => go(room, key) } },
      h('span', { class: 'recent-name' }, room),
      h('time', { class: 'hint', datetime: new Date(at).toISOString() }, t.recentAt(whenText(at))),
    ),
    h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': t.forget(room), title: t.forget(room), data: { testid: 'forget-room' }, on: { click: () => forget(() => forgetRoom(room)) } },
      icon('close'),
    ),
  );
}

const STEPS = /** @type {const} */ ([['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]]);

/** @param {number} at ms since 1970 */
function whenText(at) {
  const ago = at - Date.now();
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  for (const [unit, ms] of STEPS) if (-ago >= ms) return relative.format(Math.round(ago / ms), unit);
  return relative.format(0, 'minute');
}
