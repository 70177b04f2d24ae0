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

const PROCESSING = /** @type {const} */ ({ echoCancellation: 'echoHint', noiseSuppression: 'noiseHint', autoGainControl: 'gainHint' });

/** @type {MakeTab} */
export function audioTab(app, cleanup) {
  return h(
    'div',
    { class: 'settings-tab' },
    devicePicker('mic', app, cleanup),
    levelMeter(app.local, cleanup),
    speakerPicker(cleanup),
    h('h3', {}, words.processing),
    ...(/** @type {(keyof typeof PROCESSING)[]} */ (Object.keys(PROCESSING))).map((name) =>
      switchField({ label: words[name], hint: words[PROCESSING[name]], testid: name, on: preferences.get()[name], change: (on) => prefer({ [name]: on }) }),
    ),
  );
}
