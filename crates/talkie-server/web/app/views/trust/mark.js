/**
 * The mark beside somebody's name: their safety number was compared, was another one, or the server
 * touched what they sent.
 * @module
 */
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @typedef {{verified?: boolean, doubted?: boolean, tampered?: boolean}} Trusted */

/** @param {Trusted} peer @returns {'tampered'|'doubted'|'verified'|''} the worst of it */
function worst({ tampered, doubted, verified }) {
  if (tampered) return 'tampered';
  if (doubted) return 'doubted';
  return verified ? 'verified' : '';
}

export function trustMark() {
  const element = h('span', { class: 'trust-mark', role: 'img', hidden: true, data: { testid: 'trust-mark', trust: '' } });
  return {
    element,
    /** @param {Trusted} peer */
    update(peer) {
      const trust = worst(peer);
      if (element.dataset.trust === trust) return;
      element.dataset.trust = trust;
      element.hidden = trust === '';
      if (trust === '') return;
      element.title = strings.trust[trust];
      element.setAttribute('aria-label', strings.trust[trust]);
      element.replaceChildren(icon(trust === 'verified' ? 'shield' : 'warning'));
    },
  };
}
