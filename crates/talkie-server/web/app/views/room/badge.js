/**
 * How packets get to a peer, in a word and a number.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {PeerPath} from '../../types.js' */

/** @returns {{element: HTMLElement, update: (path: PeerPath|null) => void}} */
export function badge() {
  const t = strings.badge;
  const word = h('span', { class: 'badge-word' });
  const rtt = h('span', { class: 'badge-rtt' });
  const element = h('span', { class: 'badge', hidden: true, data: { testid: 'badge' } }, word, rtt);
  /** @type {string|null} */
  let shown = null;
  return {
    element,
    update(path) {
      element.hidden = path === null;
      if (!path) return;
      rtt.textContent = path.rtt === null ? '' : t.rtt(Math.max(1, Math.round(path.rtt * 1000)));
      const kind = `${path.kind} ${path.via ?? ''}`;
      if (kind === shown) return;
      shown = kind;
      element.dataset.badge = path.kind;
      element.dataset.via = path.via ?? '';
      element.title = t[`${path.kind}Hint`];
      word.textContent = path.kind === 'relay' && path.via ? t.relayVia(path.via) : t[path.kind];
      element.querySelector('.icon')?.remove();
      element.prepend(icon(path.kind));
    },
  };
}
