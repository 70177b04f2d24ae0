/**
 * Handing the room's link to somebody. The link carries the room's key in its fragment and none of the
 * flags that this page itself was opened with.
 * @module
 */
import { toast } from '../state.js';
import { strings } from '../strings.js';
import { h } from './dom.js';
import { icon } from './icons.js';

/** @import {AppStore} from '../state.js' */

/** @param {{room: string, key: string|null}} where */
export function inviteLink({ room, key }) {
  return `${location.origin}/r/${encodeURIComponent(room)}${key ? `#${key}` : ''}`;
}

/** @param {AppStore} store @param {string} [style] */
export function inviteButtons(store, style = '') {
  const t = strings.room;
  const copy = h(
    'button',
    { type: 'button', class: `button ${style}`, 'aria-label': t.copyLink, title: t.copyLink, data: { testid: 'invite' }, on: { click: () => void copyLink(store) } },
    icon('link'),
    h('span', {}, t.copyLink),
  );
  if (typeof navigator.share !== 'function') return copy;
  const share = h(
    'button',
    { type: 'button', class: 'button', 'aria-label': t.share, title: t.share, data: { testid: 'share' }, on: { click: () => void shareLink(store) } },
    icon('share'),
  );
  return h('span', { class: 'buttons' }, copy, share);
}

/** @param {AppStore} store */
async function copyLink(store) {
  const link = inviteLink(store.get());
  try {
    await navigator.clipboard.writeText(link);
    toast(store, 'good', strings.room.copied);
  } catch {
    // Plain http, or no permission: then by hand.
    prompt(strings.room.copyFailed, link);
  }
}

/** @param {AppStore} store */
async function shareLink(store) {
  try {
    await navigator.share({ title: strings.appName, url: inviteLink(store.get()) });
  } catch {
    // Closed without sharing.
  }
}
