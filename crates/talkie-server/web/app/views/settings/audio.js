/**
 * Settings, Audio: microphone with its level, speaker, and what the browser does to the voice.
 * @module
 */
import { prefer, preferences } from '../../preferences.js';
import { section } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { switchField } from '../../ui/fields.js';
import { levelMeter } from './meter.js';
import { devicePicker, speakerPicker } from './pickers.js';

/** @import {MakeTab} from './settings.js' */

const words = await section('settings');

/** @type {readonly (readonly ['echoCancellation'|'noiseSuppression'|'autoGainControl', string])[]} */
const PROCESSING = [
  ['echoCancellation', words.echoHint],
  ['noiseSuppression', words.noiseHint],
  ['autoGainControl', words.gainHint],
];

/** @type {MakeTab} */
export function audioTab(app, cleanup) {
  return h(
    'div',
    { class: 'settings-tab' },
    devicePicker('mic', app, cleanup),
    levelMeter(app.local, cleanup),
    speakerPicker(cleanup),
    h('h3', {}, words.processing),
    ...PROCESSING.map(([name, hint]) =>
      switchField({ label: words[name], hint, testid: name, on: preferences.get()[name], change: (on) => prefer({ [name]: on }) }),
    ),
  );
}
