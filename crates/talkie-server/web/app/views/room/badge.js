/**
 * How packets get to a peer: the way in a word, how well in bars, the round-trip time in a number. A
 * press opens the panel with the details (panel.js hears `peer-connection`, which bubbles up from here).
 * @module
 */
import { strings } from '../../strings.js';
import { h, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {PeerPath} from '../../types.js' */

export const BARS = 4;

/** @returns {{element: HTMLElement, update: (path: PeerPath|null, quality: number|null) => void}} */
export function badge() {
  const t = strings.badge;
  const word = h('span', { class: 'badge-word' });
  const bars = h('span', { class: 'bars', 'aria-hidden': 'true' }, ...Array.from({ length: BARS }, () => h('i', {})));
  const rtt = h('span', { class: 'badge-rtt' });
  const element = h('button', { type: 'button', class: 'badge', hidden: true, data: { testid: 'badge' } }, word, ' ', bars, rtt);
  element.addEventListener('click', (event) => {
    event.stopPropagation();
    element.dispatchEvent(new CustomEvent('peer-connection', { bubbles: true }));
  });
  let shown = '';
  let well = '';
  /** What is seen is part of the name, so that who asks for it by voice finds it. */
  const name = () => element.setAttribute('aria-label', [`${word.textContent} ${rtt.textContent}`.trim(), well, t.open].filter(Boolean).join(', '));
  return {
    element,
    update(path, quality) {
      element.hidden = path === null;
      if (!path) return;
      rtt.textContent = path.rtt === null ? '' : t.rtt(Math.max(1, Math.round(path.rtt * 1000)));
      const state = `${path.kind} ${path.via ?? ''} ${quality}`;
      if (state === shown) return name();
      shown = state;
      element.dataset.badge = path.kind;
      element.dataset.via = path.via ?? '';
      setAttribute(element, 'data-quality', quality);
      word.textContent = path.kind === 'relay' && path.via ? t.relayVia(path.via) : t[path.kind];
      well = quality === null ? '' : t.quality[quality] ?? '';
      element.title = [t[`${path.kind}Hint`], well].filter(Boolean).join(' ');
      name();
      element.querySelector('.icon')?.remove();
      element.prepend(icon(path.kind));
    },
  };
}
