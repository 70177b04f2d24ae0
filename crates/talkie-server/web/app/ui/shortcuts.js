/**
 * Single-key shortcuts and push-to-talk. They never act while somebody writes or works a control that
 * takes keys itself, and not with Ctrl, Alt or Meta, which belong to the browser. `shortcutOf` is pure.
 * @module
 */

/** @typedef {'mic'|'camera'|'screen'|'hand'|'chat'|'help'} ShortcutName */
/** @typedef {{name: ShortcutName}|{name: 'talk'}|{name: 'close'}|{name: 'pin', nth: number}} Shortcut */

/** @type {Record<string, ShortcutName>} */
const LETTERS = { m: 'mic', v: 'camera', s: 'screen', r: 'hand', c: 'chat' };

/** The keys as people read them, for tooltips and the help. */
export const KEYS = /** @type {const} */ ({ mic: 'M', camera: 'V', screen: 'S', hand: 'R', chat: 'C', help: '?', pin: '1–9' });

const WRITES = 'input, textarea, select, [contenteditable]:not([contenteditable="false"]), [role="slider"], [role="textbox"], [role="combobox"], [role="listbox"], [role="menu"], dialog';
const PRESSED_BY_SPACE = 'button, a[href], summary, audio[controls], video[controls], [role="button"], [role="switch"], [role="checkbox"], [role="tab"]';

/**
 * @param {Pick<KeyboardEvent, 'key'|'code'|'ctrlKey'|'altKey'|'metaKey'|'isComposing'>} event
 * @param {{closest: (selector: string) => unknown}|null} target what has the focus
 * @returns {Shortcut|null}
 */
export function shortcutOf(event, target) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || target?.closest(WRITES)) return null;
  if (event.key === 'Escape') return { name: 'close' };
  if (event.key === ' ') return target?.closest(PRESSED_BY_SPACE) ? null : { name: 'talk' };
  if (event.key === '?') return { name: 'help' };
  if (/^[1-9]$/.test(event.key)) return { name: 'pin', nth: Number(event.key) };
  const name = LETTERS[letterOf(event)];
  return name ? { name } : null;
}

/** A keyboard without Latin letters has the keys in the same places. @param {Pick<KeyboardEvent, 'key'|'code'>} event */
function letterOf({ key, code }) {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const latin = /^Key([A-Z])$/.exec(code)?.[1];
  return latin && !/^[\p{ASCII}]$/u.test(key) ? latin.toLowerCase() : '';
}

/**
 * @param {{enabled: () => boolean, act: (shortcut: Exclude<Shortcut, {name: 'talk'}>) => void, talk: (on: boolean) => void}} how
 *   `talk`: the key is held, and no longer
 * @returns {() => void} stops listening
 */
export function listenForShortcuts({ enabled, act, talk }) {
  let talking = false;
  const silence = () => {
    if (!talking) return;
    talking = false;
    talk(false);
  };
  /** @param {KeyboardEvent} event */
  const down = (event) => {
    if (event.defaultPrevented || document.querySelector('dialog:modal')) return;
    const shortcut = shortcutOf(event, event.target instanceof Element ? event.target : null);
    if (!shortcut || (shortcut.name !== 'close' && !enabled())) return;
    // A held space scrolls.
    if (shortcut.name === 'talk') event.preventDefault();
    if (event.repeat) return;
    if (shortcut.name !== 'talk') return act(shortcut);
    talking = true;
    talk(true);
  };
  /** @param {KeyboardEvent} event */
  const up = (event) => {
    if (event.code === 'Space' || event.key === ' ') silence();
  };
  // Without the focus nobody tells us that the key was let go.
  const undo = [
    listen(document, 'keydown', /** @type {EventListener} */ (down)),
    listen(document, 'keyup', /** @type {EventListener} */ (up)),
    listen(window, 'blur', silence),
    listen(document, 'visibilitychange', silence),
  ];
  return () => {
    silence();
    for (const stop of undo) stop();
  };
}

/** @param {EventTarget} target @param {string} type @param {EventListener} listener */
function listen(target, type, listener) {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
