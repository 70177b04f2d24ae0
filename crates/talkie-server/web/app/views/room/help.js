/**
 * The dialog that lists the keys, with the switch to do without them.
 * @module
 */
import { preferences, prefer } from '../../preferences.js';
import { strings } from '../../strings.js';
import { showDialog } from '../../ui/dialog.js';
import { h } from '../../ui/dom.js';
import { switchField } from '../../ui/fields.js';
import { KEYS } from '../../ui/shortcuts.js';

export function shortcutsHelp() {
  if (document.querySelector('[data-testid="shortcuts-help"]')) return;
  const t = strings.shortcuts;
  /** @type {[string, string][]} */
  const rows = [
    [KEYS.mic, t.mic], [KEYS.camera, t.camera], [KEYS.screen, t.screen], [t.space, t.talk], [KEYS.hand, t.hand],
    [KEYS.chat, t.chat], [KEYS.pin, t.pin], [KEYS.help, t.help], [t.escape, t.close],
  ];
  showDialog(
    { title: t.title, testid: 'shortcuts-help' },
    h('dl', { class: 'key-list' }, ...rows.map(([key, does]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)))),
    switchField({ label: t.enabled, hint: t.hint, testid: 'shortcuts-enabled', on: preferences.get().shortcuts, change: (shortcuts) => prefer({ shortcuts }) }),
  );
}
