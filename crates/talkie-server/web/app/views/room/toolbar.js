/**
 * The call controls (tools.js says which). A toggle's label says what pressing it will do; aria-pressed
 * says what is. One of them is in the order of Tab, arrow keys lead to the others (WAI-ARIA toolbar
 * pattern); what a narrow window has no room for is in the "More" menu.
 * @module
 */
import { preferences } from '../../preferences.js';
import { strings } from '../../strings.js';
import { h, setAttribute } from '../../ui/dom.js';
import { menuButton } from '../../ui/menu.js';
import { reactionPicker } from './reaction-picker.js';
import { deviceButton, dress, roundButton } from './round-buttons.js';
import { roomTools } from './tools.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {RoomApp} from './actions.js' */
/** @import {Look, Tool} from './tools.js' */

/** Narrower than this, tools that are `wide` move into the menu. */
const NARROW = '(max-width: 47rem)';

/** @param {RoomApp} app @param {Cleanup} cleanup */
export function toolbar(app, cleanup) {
  const { store, local, call, leave } = app;
  const t = strings.toolbar;
  const picker = reactionPicker((emoji) => call.reactions.send(emoji));
  const more = roundButton('more', 'more', t.more, () => {});
  const tools = roomTools(app, { react: (button) => picker.toggle(button.getClientRects().length ? button : more) });
  const narrow = matchMedia(NARROW);
  const inMenu = () => tools.filter((tool) => (tool.place === 'menu' || (tool.place === 'wide' && narrow.matches)) && !tool.look(store.get()).hidden);
  const menu = menuButton(more, {
    label: t.more, testid: 'more-menu',
    items: () => inMenu().map((tool) => {
      const { icon: name, label } = tool.look(store.get());
      return { label, icon: name, testid: tool.place === 'menu' ? tool.id : `more-${tool.id}`, press: () => tool.press(more) };
    }),
  });
  const buttons = tools.filter((tool) => tool.place !== 'menu').map((tool) => ({ tool, button: toolButton(tool, store, cleanup) }));
  const group = (/** @type {number} */ n) => buttons.filter(({ tool }) => tool.group === n).map(({ button }) => button);
  const bar = h(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': t.label, data: { testid: 'toolbar' } },
    deviceButton('mic', store, local, cleanup),
    deviceButton('camera', store, local, cleanup),
    ...group(1),
    gap(),
    ...group(2),
    gap(),
    ...group(3),
    gap(),
    menu.element,
    roundButton('leave', 'leave', t.leave, leave, 'danger'),
  );
  roving(bar);
  return h('div', { class: 'toolbar-place' }, picker.element, bar);
}

const gap = () => h('span', { class: 'toolbar-gap', 'aria-hidden': 'true' });

/** @param {Tool} tool @param {AppStore} store @param {Cleanup} cleanup */
function toolButton(tool, store, cleanup) {
  const button = roundButton(tool.id, 'more', '', () => tool.press(button));
  const count = h('span', { class: 'count', 'aria-hidden': 'true' });
  button.append(count);
  if (tool.place === 'wide') button.classList.add('wide-only');
  const look = () => show(button, count, tool, tool.look(store.get()));
  cleanup.add(store.subscribe((s) => JSON.stringify(tool.look(s)), look));
  cleanup.add(preferences.subscribe((p) => p.layout, look));
  return button;
}

/** @param {HTMLButtonElement} button @param {HTMLElement} count @param {Tool} tool @param {Look} look */
function show(button, count, tool, look) {
  const on = look.pressed ?? look.expanded ?? false;
  dress(button, look.icon, look.label, tool.key);
  button.hidden = look.hidden === true;
  button.dataset.state = on ? 'on' : 'off';
  button.classList.toggle('active', on);
  setAttribute(button, 'aria-pressed', look.pressed === undefined ? null : String(look.pressed));
  setAttribute(button, 'aria-expanded', look.expanded === undefined ? null : String(look.expanded));
  count.textContent = look.count ? String(Math.min(look.count, 99)) : '';
}

/** One stop for Tab; arrows, Home and End within. @param {HTMLElement} bar */
function roving(bar) {
  const all = () => /** @type {HTMLButtonElement[]} */ ([...bar.querySelectorAll('.round')]);
  /** @param {HTMLElement} button */
  const stopAt = (button) => all().forEach((one) => (one.tabIndex = one === button ? 0 : -1));
  bar.addEventListener('focusin', (event) => {
    const button = event.target instanceof Element ? event.target.closest('.round') : null;
    if (button instanceof HTMLElement) stopAt(button);
  });
  bar.addEventListener('keydown', (event) => {
    const reachable = all().filter((button) => !button.disabled && button.getClientRects().length > 0);
    const at = reachable.findIndex((button) => button === event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: reachable.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    reachable.at(to % reachable.length)?.focus();
  });
  const [first] = all();
  if (first) stopAt(first);
}
