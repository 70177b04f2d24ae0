/**
 * The top bar: the room's name, how many are in it and how many more it holds, our own recording, and
 * what brings others in.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon, logo } from '../../ui/icons.js';
import { roomNote } from '../../session/room-limit.js';
import { elapsed } from '../../recording/format.js';
import { privacyWarning } from '../trust/privacy.js';
import { inviteButtons } from './invite.js';
import { peopleCount } from './people.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */

/** @param {AppStore} store @param {Call} call @param {Cleanup} cleanup */
export function topBar(store, call, cleanup) {
  return h(
    'header',
    { class: 'room-top' },
    h('span', { class: 'brand' }, logo()),
    h('h1', { data: { testid: 'room-name' } }, store.get().room),
    h('div', { class: 'room-count' }, peopleCount(store, cleanup), limitNote(store, cleanup)),
    privacyWarning(store),
    h('span', { class: 'spring' }),
    recordingMark(store, call, cleanup),
    inviteButtons(store),
  );
}

/** @param {AppStore} store @param {Cleanup} cleanup */
function limitNote(store, cleanup) {
  const note = h('span', { class: 'room-note', role: 'status', data: { testid: 'room-note' } });
  cleanup.add(
    store.subscribe((s) => roomNote(s.peers.length + 1, s.roomPeers), (code) => {
      note.dataset.note = code;
      note.textContent = code ? strings.room.note[code] : '';
      note.title = code ? strings.room.noteHint[code](store.get().roomPeers ?? 0) : '';
    }),
  );
  return note;
}

/** A red dot and the time, and how to end it. @param {AppStore} store @param {Call} call @param {Cleanup} cleanup */
function recordingMark(store, call, cleanup) {
  const time = h('span', { class: 'recording-time' });
  const button = h(
    'button',
    { type: 'button', class: 'button small recording', hidden: true, 'aria-label': strings.recording.stop, title: strings.recording.stop, data: { testid: 'recording' }, on: { click: () => void call.recording.toggle() } },
    h('span', { class: 'red-dot', 'aria-hidden': 'true' }), time, icon('stop'),
  );
  /** @type {ReturnType<typeof setInterval>|undefined} */
  let timer;
  const show = () => {
    const { recording } = store.get();
    time.textContent = recording ? elapsed(performance.now() - recording.since) : '';
  };
  cleanup.add(
    store.subscribe((s) => s.recording, (recording) => {
      button.hidden = recording === null;
      clearInterval(timer);
      if (recording) timer = setInterval(show, 1000);
      show();
    }),
  );
  cleanup.add(() => clearInterval(timer));
  return button;
}
