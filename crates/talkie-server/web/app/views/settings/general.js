/**
 * Settings, General: how to join, shortcuts, language.
 * @module
 */
import { prefer, preferences } from '../../preferences.js';
import { LANGUAGES } from '../../strings/language.js';
import { language, section, speak } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { selectField, switchField } from '../../ui/fields.js';

/** @import {Language} from '../../strings/language.js' */
/** @import {MakeTab} from './settings.js' */

const words = await section('settings');

/** @type {MakeTab} */
export function generalTab() {
  const choices = /** @type {[Language, string][]} */ (Object.entries(LANGUAGES));
  return h(
    'div',
    { class: 'settings-tab' },
    h('h3', {}, words.joining),
    flag('joinMuted', 'join-muted'),
    flag('joinWithoutCamera', 'join-without-camera'),
    h('hr', {}),
    flag('shortcuts', 'shortcuts', words.shortcutsHint),
    selectField({ label: words.language, testid: 'language', value: language(), choices, change: (chosen) => void speak(chosen) }),
  );
}

/** @param {'joinMuted'|'joinWithoutCamera'|'shortcuts'} name @param {string} testid @param {string} [hint] */
function flag(name, testid, hint) {
  return switchField({ label: words[name], ...(hint && { hint }), testid, on: preferences.get()[name], change: (on) => prefer({ [name]: on }) });
}
