/**
 * The chat panel: the messages, who is writing, and the field for one's own.
 * @module
 */
import { CHAT_LENGTH } from '../../peer/messages/chat.js';
import { locale, strings } from '../../strings.js';
import { Cleanup, h, keyed } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { bubble, follows } from './message.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Chat} from '../../session/chat.js' */
/** @import {ChatMessage} from '../../types.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {AppStore} store
 * @param {Chat} chat
 * @returns {View}
 */
export function chatPanel(store, chat) {
  const cleanup = new Cleanup();
  const { form, input } = chatForm(chat);
  const { scroll, log } = messages(store, cleanup);
  const see = () => {
    const { panel, unread } = store.get();
    if (panel === 'chat' && unread > 0 && document.visibilityState === 'visible') store.set({ unread: 0 });
  };
  document.addEventListener('visibilitychange', see);
  cleanup.add(() => document.removeEventListener('visibilitychange', see));
  cleanup.add(store.subscribe((s) => s.unread, see));
  cleanup.add(store.subscribe((s) => s.panel === 'chat', (open) => {
    if (!open) return;
    see();
    // Only once it is shown does it have a height, and can it have the focus.
    requestAnimationFrame(() => {
      log.scrollTop = log.scrollHeight;
      input.focus({ preventScroll: true });
    });
  }));
  return {
    element: h('div', { class: 'panel-body' }, scroll, typing(store, cleanup), form),
    dispose: () => cleanup.run(),
  };
}

/** @param {AppStore} store @param {Cleanup} cleanup */
function messages(store, cleanup) {
  const t = strings.chat;
  const log = h('div', { class: 'chat-log', role: 'log', 'aria-label': t.log, tabindex: 0, data: { testid: 'chat-log' } });
  const empty = h('p', { class: 'panel-empty' }, icon('chat'), h('span', {}, t.empty));
  /** @type {Map<string, ReturnType<typeof bubble>>} */
  const kept = new Map();
  cleanup.add(store.subscribe((s) => s.chat, (all) => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    empty.hidden = all.length > 0;
    keyed(log, all, { key: keyOf, create: bubble }, kept);
    all.forEach((message, at) => kept.get(keyOf(message))?.group(follows(message, all[at - 1])));
    if (atEnd || all.at(-1)?.from === null) log.scrollTop = log.scrollHeight;
  }));
  return { scroll: h('div', { class: 'chat-scroll' }, log, empty), log };
}

/** What was told and then comes from its writer is drawn anew. @param {ChatMessage} message */
const keyOf = ({ key, told }) => `${key} ${told ?? ''}`;

/** @param {AppStore} store @param {Cleanup} cleanup */
function typing(store, cleanup) {
  const element = h('p', { class: 'chat-typing', 'aria-live': 'polite', data: { testid: 'chat-typing' } });
  cleanup.add(store.subscribe((s) => s.typing, (keys) => {
    const names = store.get().peers.filter((peer) => keys.includes(peer.key)).map((peer) => peer.name || strings.room.guest);
    element.textContent = names.length ? strings.chat.typing(names) : '';
  }));
  return element;
}

/** @param {Chat} chat */
function chatForm(chat) {
  const t = strings.chat;
  const input = h('textarea', { class: 'input', rows: 1, placeholder: t.placeholder, 'aria-label': t.label, dir: 'auto', enterkeyhint: 'send', data: { testid: 'chat-input' } });
  const hint = h('p', { class: 'chat-hint', role: 'status', data: { testid: 'chat-hint' } });
  const picker = emojiButton(input);
  const submit = () => {
    if (input.value.trim() && chat.say(input.value)) input.value = '';
    hint.textContent = '';
    input.focus();
  };
  input.addEventListener('input', () => {
    const cut = [...input.value.slice(0, CHAT_LENGTH * 2)].slice(0, CHAT_LENGTH).join('');
    // Cut here and said so, not silently on the way.
    const long = cut.length < input.value.length;
    if (long) input.value = cut;
    hint.textContent = long ? t.cut(CHAT_LENGTH.toLocaleString(locale())) : '';
    chat.typing.mine(input.value !== '');
  });
  input.addEventListener('keydown', (event) => {
    // Enter while composing (Japanese, Chinese…) picks a word; it does not send.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  const send = h('button', { class: 'round small accent', 'aria-label': t.send, title: t.send, data: { testid: 'chat-send' } }, icon('send'));
  const form = h('form', { class: 'chat-form' }, hint, picker, input, send);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  return { form, input };
}

/** Opens the picker, which is loaded when it is first wanted. @param {HTMLTextAreaElement} input */
function emojiButton(input) {
  const place = h('div', { class: 'emoji-place', hidden: true });
  const button = h('button', { type: 'button', class: 'icon-button emoji-open', 'aria-label': strings.chat.emoji, title: strings.chat.emoji, 'aria-expanded': 'false', data: { testid: 'emoji-open' } }, icon('smile'));
  /** @type {ReturnType<typeof import('./emoji.js').emojiPicker>|null} */
  let picker = null;
  /** @param {boolean} open */
  const show = (open) => {
    place.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
  };
  /** @param {string} emoji */
  const pick = (emoji) => {
    input.setRangeText(emoji, input.selectionStart, input.selectionEnd, 'end');
    input.dispatchEvent(new Event('input'));
  };
  const close = () => {
    show(false);
    input.focus();
  };
  button.addEventListener('click', async () => {
    if (!place.hidden) return close();
    const { emojiPicker } = await import('./emoji.js');
    if (!picker) place.append((picker = emojiPicker({ pick, close })).element);
    show(true);
    picker.focus();
  });
  return h('div', { class: 'emoji-menu' }, place, button);
}
