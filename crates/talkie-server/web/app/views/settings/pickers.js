/**
 * Choosing a camera, microphone or speaker. The list follows what is plugged in and out; a chosen device
 * that is away stands as the browser's default until it is back.
 * @module
 */
import { CHOSEN } from '../../media/constraints.js';
import { devices, refreshDevices } from '../../media/device-list.js';
import { problemWords } from '../../media/problem-words.js';
import { askForSpeaker, canAskForSpeaker, canChooseSpeaker, testTone } from '../../media/speaker.js';
import { prefer, preferences } from '../../preferences.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {DeviceKind} from '../../media/device-list.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/**
 * @param {'mic'|'camera'} device
 * @param {{store: AppStore, local: LocalMedia}} app
 * @param {Cleanup} cleanup
 */
export function devicePicker(device, { store, local }, cleanup) {
  return picker(device, cleanup, async (id) => {
    const problem = await local.choose(device, id);
    if (problem) toast(store, 'bad', problemWords(problem, device));
  });
}

/**
 * @param {DeviceKind} kind
 * @param {Cleanup} cleanup
 * @param {(id: string) => void} choose
 */
function picker(kind, cleanup, choose) {
  const t = strings.media;
  const field = selectField({ label: t[kind].label, testid: `${kind}-picker`, value: '', choices: /** @type {[string, string][]} */ ([['', t.byDefault]]), change: choose });
  const fill = () => {
    const list = devices.get()[kind];
    const chosen = preferences.get()[CHOSEN[kind]];
    const choices = list.map(({ id, label }, at) => /** @type {[string, string]} */ ([id, label || t[kind].unnamed(at + 1)]));
    field.fill([['', t.byDefault], ...choices], list.some(({ id }) => id === chosen) ? chosen : '');
    field.input.disabled = list.length === 0;
  };
  cleanup.add(devices.subscribe((list) => list[kind], fill));
  cleanup.add(preferences.subscribe((p) => p[CHOSEN[kind]], fill));
  void refreshDevices();
  return field;
}

/** With a button to try it. @param {Cleanup} cleanup */
export function speakerPicker(cleanup) {
  const t = strings.media.speaker;
  const test = h('button', { type: 'button', class: 'button', data: { testid: 'speaker-test', state: 'idle' }, on: { click: () => void tryIt() } }, icon('sound'), h('span', {}, t.test));
  const tryIt = async () => {
    if (test.dataset.state === 'playing') return;
    test.dataset.state = 'playing';
    await testTone().catch((error) => console.warn('talkie: no tone', error));
    test.dataset.state = 'idle';
  };
  if (!canChooseSpeaker()) return h('div', { class: 'speaker' }, h('p', { class: 'hint' }, t.onlyDefault), test);
  const field = picker('speaker', cleanup, (id) => prefer({ speakerId: id }));
  const ask = h('button', { type: 'button', class: 'button', data: { testid: 'speaker-ask' }, on: { click: () => void askForSpeaker() } }, t.ask);
  cleanup.add(devices.subscribe((list) => list.speaker.length, (n) => (ask.hidden = n > 0 || !canAskForSpeaker())));
  return h('div', { class: 'speaker' }, field, ask, test);
}
