/**
 * Handing the room's link to somebody: copied, shared through the system, or shown as a QR code.
 * @module
 */
import { linkCaution, linkForOthers } from '../../session/invitation.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { showDialog } from '../../ui/dialog.js';
import { Cleanup, h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */

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
  const qr = h(
    'button',
    { type: 'button', class: 'button', 'aria-label': strings.invite.qr, title: strings.invite.qr, data: { testid: 'invite-qr' }, on: { click: () => showInvite(store) } },
    icon('qr'),
  );
  if (typeof navigator.share !== 'function') return h('span', { class: 'buttons' }, copy, qr);
  const share = h(
    'button',
    { type: 'button', class: 'button', 'aria-label': t.share, title: t.share, data: { testid: 'share' }, on: { click: () => void shareLink(store) } },
    icon('share'),
  );
  return h('span', { class: 'buttons' }, copy, share, qr);
}

/** All ways at once, in a dialog. @param {AppStore} store */
export function showInvite(store) {
  const t = strings.invite;
  const cleanup = new Cleanup();
  const place = h('div', { class: 'qr-place' });
  cleanup.add(store.subscribe((s) => s.invitation, () => void drawCode(store, place)));
  showDialog(
    { title: t.title, testid: 'invite-dialog', closed: () => cleanup.run() },
    h('p', { class: 'hint' }, t.hint),
    place,
    h('p', { class: 'hint centred' }, t.qrHint),
    ...inviteText(store, cleanup),
    inviteChoices(store),
  );
}

/** @param {AppStore} store */
function inviteChoices(store) {
  const t = strings.room;
  // Toasts are behind the dialog, and silent there.
  const done = h('p', { class: 'hint centred', role: 'status', data: { testid: 'invite-copied' } });
  const copied = async () => (done.textContent = (await copyLink(store, false)) ? copiedWords(store) : '');
  const copy = h('button', { type: 'button', class: 'button primary', data: { testid: 'invite-copy' }, on: { click: () => void copied() } }, icon('link'), t.copyLink);
  if (typeof navigator.share !== 'function') return h('div', {}, h('div', { class: 'buttons wide' }, copy), done);
  const share = h('button', { type: 'button', class: 'button', data: { testid: 'invite-share' }, on: { click: () => void shareLink(store) } }, icon('share'), t.share);
  return h('div', {}, h('div', { class: 'buttons wide' }, copy, share), done);
}

/** @param {AppStore} store @param {HTMLElement} place */
async function drawCode(store, place) {
  const link = linkOf(store);
  try {
    const { qrCode } = await import('../../ui/qr.js');
    const code = await qrCode(link, strings.invite.qrAlt(store.get().room));
    if (link === linkOf(store)) place.replaceChildren(code);
  } catch {
    place.replaceChildren(h('p', { role: 'alert' }, strings.invite.qrFailed));
  }
}

/** @param {AppStore} store @param {boolean} [aloud] with a toast */
async function copyLink(store, aloud = true) {
  const link = linkOf(store);
  try {
    await navigator.clipboard.writeText(link);
    if (aloud) toast(store, worksOnlyHere(store) ? 'bad' : 'good', copiedWords(store));
    return true;
  } catch {
    // Plain http, or no permission: then by hand.
    prompt(strings.room.copyFailed, link);
    return false;
  }
}

/** @param {AppStore} store */
const worksOnlyHere = (store) => linkCaution(store.get().invitation, location.hostname) === 'onlyHere';

/** @param {AppStore} store */
const copiedWords = (store) => (worksOnlyHere(store) ? strings.room.copiedOnlyHere : strings.room.copied);

/** @param {AppStore} store */
async function shareLink(store) {
  try {
    await navigator.share({ title: strings.appName, url: linkOf(store) });
  } catch {
    // Closed without sharing.
  }
}
