/**
 * The call controls. A toggle's label says what pressing it will do; aria-pressed says what is.
 * @module
 */
import { canShareScreen } from '../../media/screen.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { Cleanup, h, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {State} from '../../types.js' */
/** @import {IconName} from '../../ui/icons.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, leave: () => void}} app
 * @param {Cleanup} cleanup
 */
export function toolbar({ store, local, leave }, cleanup) {
  const t = strings.toolbar;
  return h(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': t.label, data: { testid: 'toolbar' } },
    deviceButton('mic', store, local, cleanup),
    deviceButton('camera', store, local, cleanup),
    screenButton(store, local, cleanup),
    h('span', { class: 'toolbar-gap' }),
    panelButton('chat', store, cleanup),
    panelButton('files', store, cleanup),
    h('span', { class: 'toolbar-gap' }),
    roundButton('leave', 'leave', t.leave, leave, 'danger'),
  );
}

/**
 * @param {string} testid
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} press
 * @param {string} [style]
 */
function roundButton(testid, name, label, press, style = '') {
  return h('button', { type: 'button', class: `round ${style}`, 'aria-label': label, title: label, data: { testid }, on: { click: press } }, icon(name));
}

/** @param {HTMLButtonElement} button @param {IconName} name @param {string} label */
function dress(button, name, label) {
  button.querySelector('.icon')?.replaceWith(icon(name));
  button.setAttribute('aria-label', label);
  button.title = label;
}

/**
 * @param {'mic'|'camera'} device
 * @param {AppStore} store
 * @param {LocalMedia} local
 * @param {Cleanup} cleanup
 */
export function deviceButton(device, store, local, cleanup) {
  const t = strings.toolbar;
  const button = roundButton(device, device, '', press);
  function press() {
    const on = store.get().media[device] !== 'on';
    void (device === 'mic' ? local.setMic(on) : local.setCamera(on)).then(() => {
      const problem = store.get().media.problems[device];
      if (on && problem && store.get().view === 'room') toast(store, 'bad', strings.media[problem][device]);
    });
  }
  cleanup.add(
    store.subscribe((s) => s.media, (media) => {
      const on = media[device] === 'on';
      button.dataset.state = media[device];
      setAttribute(button, 'aria-pressed', on ? 'true' : 'false');
      setAttribute(button, 'data-problem', media.problems[device]);
      if (device === 'mic') dress(button, on ? 'mic' : 'micOff', on ? t.micOff : media.mic === 'off' ? t.micOn : t.micNone);
      else dress(button, on ? 'camera' : 'cameraOff', on ? t.cameraOff : t.cameraOn);
      button.disabled = media.pending && !on;
    }),
  );
  return button;
}

/** @param {AppStore} store @param {LocalMedia} local @param {Cleanup} cleanup */
function screenButton(store, local, cleanup) {
  const t = strings.toolbar;
  const button = roundButton('screen', 'screen', t.screenOn, async () => {
    if (store.get().media.screen) return local.stopScreen();
    if (!canShareScreen()) return toast(store, 'bad', strings.media.screen[isSecureContext ? 'unsupported' : 'insecure']);
    const problem = await local.startScreen();
    if (problem) toast(store, problem === 'refused' ? 'info' : 'bad', strings.media.screen[problem]);
  });
  cleanup.add(
    store.subscribe((s) => s.media.screen, (on) => {
      button.dataset.state = on ? 'on' : 'off';
      button.classList.toggle('active', on);
      button.setAttribute('aria-pressed', String(on));
      dress(button, on ? 'screenStop' : 'screen', on ? t.screenOff : t.screenOn);
    }),
  );
  // Phones' browsers have no screen to share: there the button would only be in the way.
  if (isSecureContext && !canShareScreen()) button.hidden = true;
  return button;
}

/** @param {'chat'|'files'} panel @param {AppStore} store @param {Cleanup} cleanup */
function panelButton(panel, store, cleanup) {
  const t = strings.toolbar;
  const button = roundButton(panel, panel, t[panel], () => {
    store.set({ panel: store.get().panel === panel ? null : panel });
  });
  const count = h('span', { class: 'count', 'aria-hidden': 'true' });
  button.append(count);
  cleanup.add(
    store.subscribe((s) => s.panel, (open) => {
      button.classList.toggle('active', open === panel);
      button.setAttribute('aria-expanded', String(open === panel));
    }),
  );
  cleanup.add(
    store.subscribe(panel === 'chat' ? unread : offers, (n) => {
      count.textContent = n ? String(Math.min(n, 99)) : '';
      if (panel === 'chat') button.setAttribute('aria-label', n ? t.chatUnread(n) : t.chat);
    }),
  );
  return button;
}

/** @param {Readonly<State>} s */
const unread = (s) => s.unread;
/** @param {Readonly<State>} s */
const offers = (s) => s.transfers.filter((t) => t.state === 'offered').length;
