/**
 * Handing the room's link to somebody.
 * @module
 */
import { linkCaution, linkForOthers } from '../../session/invitation.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/** @param {AppStore} store */
const linkOf = (store) => linkForOthers(store.get(), location.origin);

/** The link in full, and what to know about it. @param {AppStore} store @param {Cleanup} cleanup */
export function inviteText(store, cleanup) {
  const link = h('p', { class: 'link-text', data: { testid: 'link' } });
  const caution = h('p', { class: 'hint', data: { testid: 'link-caution' } });
  cleanup.add(
    store.subscribe((s) => s.invitation, (invitation) => {
      link.textContent = linkOf(store);
      const about = linkCaution(invitation, location.hostname);
      caution.hidden = about === null;
      caution.textContent = about && strings.room.caution[about];
    }),
  );
  return [link, caution];
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
  const link = linkOf(store);
  try {
    await navigator.clipboard.writeText(link);
    const onlyHere = linkCaution(store.get().invitation, location.hostname) === 'onlyHere';
    toast(store, onlyHere ? 'bad' : 'good', onlyHere ? strings.room.copiedOnlyHere : strings.room.copied);
  } catch {
    // Plain http, or no permission: then by hand.
    prompt(strings.room.copyFailed, link);
  }
}

/** @param {AppStore} store */
async function shareLink(store) {
  try {
    await navigator.share({ title: strings.appName, url: linkOf(store) });
  } catch {
    // Closed without sharing.
  }
}
