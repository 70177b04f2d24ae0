/**
 * One chat message: who, when, and the words, with links that say where they lead.
 * @module
 */
import { locale, strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { splitLinks, trueHost } from './links.js';

/** @import {ChatMessage} from '../../types.js' */

const TOGETHER_MS = 120_000;

/** Whether a message goes under the head of the one before. @param {ChatMessage} message @param {ChatMessage|undefined} before */
export function follows(message, before) {
  return before !== undefined && before.from === message.from && before.name === message.name && before.told === message.told && message.at - before.at < TOGETHER_MS;
}

/** @param {ChatMessage} message */
export function bubble(message) {
  const time = new Date(message.at);
  const head = h(
    'header',
    {},
    h('bdi', { class: 'chat-name' }, message.from === null ? strings.room.you : message.name || strings.room.guest),
    h('time', { datetime: time.toISOString() }, timeOf(time)),
    message.told !== null && h('span', { class: 'chat-told', data: { testid: 'chat-told' } }, strings.chat.told(message.told)),
  );
  const element = h(
    'article',
    { class: 'chat-message', data: { testid: 'chat-message', own: String(message.from === null), told: String(message.told !== null), id: message.id } },
    head,
    h('p', { dir: 'auto' }, ...splitLinks(message.text).map(piece)),
  );
  return Object.assign(element, {
    /** @param {boolean} under the head of the message before it */
    group(under) {
      element.classList.toggle('follows', under);
      head.hidden = under;
    },
  });
}

/** The day, too, when it is not today's. @param {Date} time */
function timeOf(time) {
  const today = time.toDateString() === new Date().toDateString();
  return time.toLocaleString(locale(), { hour: '2-digit', minute: '2-digit', ...(!today && { day: 'numeric', month: 'short' }) });
}

/** @param {import('./links.js').Piece} part */
function piece(part) {
  if (!part.href) return part.text;
  const host = trueHost(part);
  const link = h('a', { href: part.href, target: '_blank', rel: 'noreferrer noopener', dir: 'ltr', data: { testid: 'chat-link' } }, part.text);
  return host ? h('span', {}, link, ` (${host})`) : link;
}
