/**
 * The people panel: who is in, what they have switched on, how they are reached, whether their safety
 * number was compared; the lock, and those who knock.
 * @module
 */
import { strings } from '../../strings.js';
import { Cleanup, h, keyed, setAttribute } from '../../ui/dom.js';
import { switchField } from '../../ui/fields.js';
import { icon } from '../../ui/icons.js';
import { hueOf, initials } from '../../names.js';
import { knocks } from '../trust/knocks.js';
import { trustMark } from '../trust/mark.js';
import { privacyLine } from '../trust/privacy.js';
import { showSafetyNumber } from '../trust/safety-dialog.js';
import { badge } from './badge.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {IconName} from '../../ui/icons.js' */
/** @import {View} from '../../ui/dom.js' */
/** @import {PeerView} from '../../types.js' */

/** @param {AppStore} store @param {Call} call @returns {View} */
export function peoplePanel(store, call) {
  const t = strings.people;
  const cleanup = new Cleanup();
  const { lock } = call.membership;
  const kept = new Map();
  const list = h('ul', { class: 'people-list', 'aria-label': t.list, data: { testid: 'people-list' } });
  const self = ownEntry(store, cleanup);
  list.append(self);
  const others = h('ul', { class: 'people-list', 'aria-label': t.list, data: { testid: 'people-others' } });
  cleanup.add(
    store.subscribe((s) => s.peers, (peers) => {
      keyed(others, peers, { key: ({ key }) => key, create: (peer) => entry(peer, () => showSafetyNumber(store, peer.key)) }, kept);
    }),
  );
  const locked = switchField({ label: t.lock, hint: t.lockHint, testid: 'lock', on: store.get().locked, change: (on) => lock.set(on) });
  // The room's word counts, not the click.
  cleanup.add(store.subscribe((s) => s.locked, (on) => (locked.input.checked = on)));
  const element = h(
    'div',
    { class: 'panel-body people-body', data: { testid: 'people-panel' } },
    knocks(store, (id, admit) => lock.answer(id, admit), cleanup),
    list,
    others,
    h('div', { class: 'people-foot' }, locked, privacyLine(store)),
  );
  return { element, dispose: () => cleanup.run() };
}

/** @param {AppStore} store @param {Cleanup} cleanup */
function ownEntry(store, cleanup) {
  const name = h('bdi', { class: 'person-name' });
  const devices = deviceMarks();
  const avatar = face();
  cleanup.add(
    store.subscribe((s) => s.name, (typed) => {
      name.textContent = typed ? strings.people.selfNamed(typed) : strings.people.self;
      avatar.show(typed || strings.people.self);
    }),
  );
  cleanup.add(store.subscribe((s) => s.media, ({ mic, camera }) => devices.update(mic === 'on', camera === 'on')));
  return h('li', { class: 'person', data: { testid: 'person', self: 'true' } }, avatar.element, h('div', { class: 'person-words' }, name), devices.element);
}

/** @param {PeerView} first @param {() => void} compare */
function entry(first, compare) {
  const t = strings.people;
  const name = h('bdi', { class: 'person-name', data: { testid: 'person-name' } });
  const avatar = face();
  const mark = trustMark();
  const devices = deviceMarks();
  const path = badge();
  const says = h('span', { class: 'person-says', data: { testid: 'person-says' } });
  const safety = h('button', { type: 'button', class: 'button small quiet', data: { testid: 'safety-open' }, on: { click: compare } }, icon('shield'), h('span', {}, t.safety));
  const element = h(
    'li',
    { class: 'person', data: { testid: 'person', peer: first.key, self: 'false' } },
    avatar.element,
    h('div', { class: 'person-words' }, h('span', { class: 'person-line' }, name, mark.element), says, h('span', { class: 'person-line' }, path.element, safety)),
    devices.element,
  );
  /** @param {PeerView} peer */
  const update = (peer) => {
    const shown = peer.name || strings.room.guest;
    name.textContent = shown;
    avatar.show(shown);
    mark.update(peer);
    devices.update(peer.mic, peer.camera);
    const { tampered, verified, doubted, phase } = peer;
    setAttribute(element, 'data-tampered', String(tampered));
    setAttribute(element, 'data-verified', String(verified));
    says.textContent = tampered ? strings.trust.tampered : doubted ? strings.trust.doubted : phase === 'connected' ? '' : strings.phase[phase];
    path.update(phase === 'connected' ? peer.path : null, peer.quality);
    safety.setAttribute('aria-label', t.safetyOf(shown));
    safety.hidden = peer.safety === null;
  };
  return Object.assign(element, { update });
}

function face() {
  const element = h('span', { class: 'person-face', 'aria-hidden': 'true' });
  return {
    element,
    /** @param {string} name */
    show(name) {
      element.textContent = initials(name);
      element.style.setProperty('--hue', String(hueOf(name)));
    },
  };
}

function deviceMarks() {
  const t = strings.people;
  const mic = h('span', { role: 'img', data: { testid: 'person-mic' } });
  const camera = h('span', { role: 'img', data: { testid: 'person-camera' } });
  /** @param {HTMLElement} place @param {boolean} on @param {IconName} name @param {string} label */
  const show = (place, on, name, label) => {
    if (place.dataset.on === String(on)) return;
    place.dataset.on = String(on);
    place.replaceChildren(icon(name));
    place.setAttribute('aria-label', label);
    place.title = label;
  };
  return {
    element: h('span', { class: 'person-devices' }, mic, camera),
    /** @param {boolean} micOn @param {boolean} cameraOn */
    update(micOn, cameraOn) {
      show(mic, micOn, micOn ? 'mic' : 'micOff', micOn ? t.micOn : t.micOff);
      show(camera, cameraOn, cameraOn ? 'camera' : 'cameraOff', cameraOn ? t.cameraOn : t.cameraOff);
    },
  };
}

/** How many are in, in the room's top bar; opens the panel. @param {AppStore} store @param {Cleanup} cleanup */
export function peopleCount(store, cleanup) {
  const words = h('span', {});
  const lock = h('span', { class: 'people-locked', role: 'img', 'aria-label': strings.people.nowLocked, title: strings.people.nowLocked, hidden: true, data: { testid: 'room-locked' } }, icon('lock'));
  const element = h(
    'button',
    { type: 'button', class: 'people', title: strings.people.title, data: { testid: 'people' }, on: { click: () => store.set({ panel: store.get().panel === 'people' ? null : 'people' }) } },
    lock,
    words,
  );
  cleanup.add(store.subscribe((s) => s.peers.length, (n) => (words.textContent = strings.room.people(n + 1))));
  cleanup.add(store.subscribe((s) => s.locked, (locked) => (lock.hidden = !locked)));
  cleanup.add(store.subscribe((s) => s.panel === 'people', (open) => element.setAttribute('aria-expanded', String(open))));
  return element;
}
