/**
 * Settings, Effects: the sliders, the curve that they make, and a way to hear it.
 * @module
 */
import { canListen, LISTEN_SECONDS, playWithEffects, recordSelf } from '../../media/listen.js';
import { prefer, preferences } from '../../preferences.js';
import { toast } from '../../state.js';
import { section } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { sliderField, switchField } from '../../ui/fields.js';
import { responseCurve } from './curve.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {MakeTab, SettingsApp} from './settings.js' */

const words = await section('settings');

/** @type {readonly (readonly ['bass'|'presence'|'treble'|'gain', number])[]} */
const SLIDERS = [['bass', 15], ['presence', 15], ['treble', 15], ['gain', 20]];

/** @type {MakeTab} */
export function effectsTab(app, cleanup) {
  const sliders = SLIDERS.map(([name, most]) =>
    sliderField({
      label: words[name], testid: `effect-${name}`, value: preferences.get()[name], min: -most, max: most, step: 1,
      words: words.decibels, change: (db) => prefer({ [name]: db }),
    }),
  );
  const reset = () => {
    prefer({ bass: 0, presence: 0, treble: 0, gain: 0 });
    for (const slider of sliders) slider.set(0);
  };
  return h(
    'div',
    { class: 'settings-tab' },
    switchField({ label: words.effects, hint: words.effectsHint, testid: 'effects', on: preferences.get().effects, change: (on) => prefer({ effects: on }) }),
    h('div', { class: 'effects-body' }, responseCurve(cleanup), h('div', { class: 'sliders' }, ...sliders)),
    h(
      'div',
      { class: 'effects-foot' },
      canListen() && listenButton(app, cleanup),
      h('button', { type: 'button', class: 'button quiet', data: { testid: 'effects-reset' }, on: { click: reset } }, words.reset),
    ),
    canListen() && h('p', { class: 'hint' }, words.listenHint(LISTEN_SECONDS)),
  );
}

/** @param {SettingsApp} app @param {Cleanup} cleanup */
function listenButton({ store, local }, cleanup) {
  /** @type {AbortController|null} */
  let running = null;
  const label = h('span', {}, words.listen);
  const button = h('button', { type: 'button', class: 'button', data: { testid: 'listen', state: 'idle' }, on: { click: () => (running ? running.abort() : void listen()) } }, label);
  const status = h('span', { class: 'hint', role: 'status' });
  /** @param {'idle'|'recording'|'playing'} state @param {string} text */
  const say = (state, text) => {
    button.dataset.state = state;
    label.textContent = state === 'idle' ? words.listen : words.listenStop;
    status.textContent = text;
  };
  const listen = async () => {
    const { signal } = (running = new AbortController());
    try {
      say('recording', words.listenNow);
      const recording = await recordSelf(local, signal);
      if (recording) {
        say('playing', words.listenPlaying);
        await playWithEffects(recording, signal);
      } else if (!signal.aborted) {
        toast(store, 'bad', words.listenFailed);
      }
    } catch (error) {
      console.warn('talkie: listening to oneself', error);
    } finally {
      running = null;
      say('idle', '');
    }
  };
  cleanup.add(() => running?.abort());
  return h('div', { class: 'listen' }, button, status);
}
