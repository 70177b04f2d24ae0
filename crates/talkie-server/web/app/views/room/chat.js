/**
 * The chat panel.
 * @module
 */
import { CHAT_LENGTH } from '../../peer/messages/chat.js';
import { locale, strings } from '../../strings.js';
import { h, keyed } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

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
  const t = strings.chat;
  const log = h('div', { class: 'chat-log', role: 'log', 'aria-label': t.log, tabindex: 0, data: { testid: 'chat-log' } });
  const empty = h('p', { class: 'panel-empty' }, icon('chat'), h('span', {}, t.empty));
  const input = h('textarea', {
    class: 'input', rows: 1, maxlength: CHAT_LENGTH, placeholder: t.placeholder, 'aria-label': t.label, dir: 'auto', enterkeyhint: 'send', data: { testid: 'chat-input' },
  });
  const submit = () => {
    if (input.value.trim() && chat.say(input.value)) input.value = '';
    input.focus();
  };
  input.addEventListener('keydown', (event) => {
    // Enter while composing (Japanese, Chinese…) picks a word; it does not send.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  const form = h(
    'form',
    {
      class: 'chat-form',
      on: {
        /** @param {SubmitEvent} event */
        submit: (event) => {
          event.preventDefault();
          submit();
        },
      },
    },
    input,
    h('button', { class: 'round small accent', 'aria-label': t.send, title: t.send, data: { testid: 'chat-send' } }, icon('send')),
  );
  const kept = new Map();
  const stop = store.subscribe((s) => s.chat, (messages) => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    empty.hidden = messages.length > 0;
    keyed(log, messages, { key: (m) => String(m.id), create: (m) => bubble(m, messages) }, kept);
    if (atEnd || messages.at(-1)?.from === null) log.scrollTop = log.scrollHeight;
  });
  const seen = store.subscribe((s) => s.panel === 'chat' && s.unread > 0, (unseen) => {
    if (unseen) store.set({ unread: 0 });
  });
  const opened = store.subscribe((s) => s.panel === 'chat', (open) => {
    if (!open) return;
    // Only once it is shown does it have a height, and can it have the focus.
    requestAnimationFrame(() => {
      log.scrollTop = log.scrollHeight;
      input.focus({ preventScroll: true });
    });
  });
  return {
    element: h('div', { class: 'panel-body' }, h('div', { class: 'chat-scroll' }, log, empty), form),
    dispose: () => [stop, seen, opened].forEach((undo) => undo()),
  };
}

const TOGETHER_MS = 120_000;

/** @param {ChatMessage} message @param {readonly ChatMessage[]} all */
function bubble(message, all) {
  const before = all[all.indexOf(message) - 1];
  const follows = before?.from === message.from && message.at - before.at < TOGETHER_MS;
  const time = new Date(message.at);
  const head = h(
    'header',
    {},
    h('bdi', { class: 'chat-name' }, message.from === null ? strings.room.you : message.name || strings.room.guest),
    h('time', { datetime: time.toISOString() }, time.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })),
  );
  return h(
    'article',
    { class: follows ? 'chat-message follows' : 'chat-message', data: { testid: 'chat-message', own: String(message.from === null) } },
    !follows && head,
    h('p', { dir: 'auto' }, message.text),
  );
}
