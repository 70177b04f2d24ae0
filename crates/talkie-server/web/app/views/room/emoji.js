/**
 * The emoji picker of the chat: a small set by category, moved through with the arrow keys.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';

/** @type {Record<keyof typeof strings.chat.emojiGroups, string>} */
const EMOJI = {
  smileys: '😀 😄 😁 😅 😂 🙂 😉 😊 😍 😘 😎 🤔 😐 🙄 😴 😮 😢 😭 😡 🤯 🥳 🤗 🤫 😇',
  gestures: '👍 👎 👌 👏 🙌 🙏 👋 ✌️ 🤞 💪 🤝 👀',
  nature: '🌞 🌈 🌧️ ❄️ 🌸 🌳 🐱 🐶 🦉 🐝 🍎 🍕 🍰 ☕ 🍵 🍻',
  things: '❤️ 💔 🎉 🎂 🎁 🔥 ⭐ 💡 ✅ ❌ ❓ ❗ ⏰ 📎 📌 🚀',
};

const COLUMNS = 8;

/** @param {{pick: (emoji: string) => void, close: () => void}} how */
export function emojiPicker({ pick, close }) {
  const groups = Object.entries(EMOJI).map(([name, all]) => {
    const words = strings.chat.emojiGroups[/** @type {keyof typeof EMOJI} */ (name)];
    const buttons = all.split(' ').map((emoji) => h('button', { type: 'button', class: 'emoji', tabindex: -1, data: { testid: 'emoji' }, on: { click: () => pick(emoji) } }, emoji));
    return h('div', { role: 'group', 'aria-label': words }, h('p', { class: 'emoji-group', 'aria-hidden': 'true' }, words), h('div', { class: 'emoji-grid' }, ...buttons));
  });
  const element = h('div', { class: 'emoji-picker', role: 'group', 'aria-label': strings.chat.emoji, data: { testid: 'emoji-picker' } }, ...groups);
  const all = /** @type {HTMLElement[]} */ ([...element.querySelectorAll('.emoji')]);
  /** @param {HTMLElement|undefined} button */
  const go = (button) => {
    if (!button) return;
    all.forEach((one) => (one.tabIndex = one === button ? 0 : -1));
    button.focus();
  };
  if (all[0]) all[0].tabIndex = 0;
  element.addEventListener('keydown', (event) => {
    const at = all.findIndex((one) => one === document.activeElement);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS, Home: -at, End: all.length - 1 - at };
    const step = Object.hasOwn(steps, event.key) ? steps[/** @type {keyof typeof steps} */ (event.key)] : undefined;
    if (event.key === 'Escape') close();
    if (event.key === 'Escape' || step !== undefined) event.preventDefault();
    if (step !== undefined && at >= 0) go(all[Math.min(all.length - 1, Math.max(0, at + step))]);
  });
  return { element, focus: () => go(all.find((one) => one.tabIndex === 0)) };
}
