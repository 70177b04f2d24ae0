/**
 * One line on how private the room is: with a key, without one, or with a key that plain http makes
 * worthless.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */

/** @param {string|null} key @returns {'insecure'|'keyless'|'sealed'} */
export function privacyOf(key) {
  if (!isSecureContext) return 'insecure';
  return key === null ? 'keyless' : 'sealed';
}

/** @param {AppStore} store */
export function privacyLine(store) {
  const privacy = privacyOf(store.get().key);
  const t = strings.trust;
  const words = privacy === 'insecure' && store.get().key === null ? `${t.insecure} ${t.keyless}` : t[privacy];
  return h('p', { class: 'privacy', data: { testid: 'privacy', privacy } }, icon(privacy === 'sealed' ? 'shield' : 'warning'), h('span', {}, words));
}

/** For the room's top bar: nothing where all is well. @param {AppStore} store */
export function privacyWarning(store) {
  const privacy = privacyOf(store.get().key);
  if (privacy === 'sealed') return null;
  const label = strings.trust[privacy];
  return h('span', { class: 'privacy-warning', role: 'img', 'aria-label': label, title: label, data: { testid: 'privacy-warning', privacy } }, icon('warning'), h('span', { 'aria-hidden': 'true' }, strings.trust.notPrivate));
}
