/**
 * Reactions fly up from the tile of who sent them (or just stand there, for who wants less motion).
 * @module
 */
import { h, keyed } from '../../ui/dom.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {ReactionView} from '../../types.js' */

/**
 * @param {AppStore} store
 * @param {HTMLElement} tiles where the tiles are
 * @param {Cleanup} cleanup
 */
export function reactions(store, tiles, cleanup) {
  const layer = h('div', { class: 'reactions', 'aria-hidden': 'true', data: { testid: 'reactions' } });
  const kept = new Map();
  /** @param {ReactionView} reaction */
  const create = (reaction) => {
    const element = h('span', { class: 'reaction', data: { testid: 'reaction', peer: reaction.peer } }, reaction.emoji);
    const tile = tiles.querySelector(`[data-peer="${reaction.peer}"][data-kind="camera"]`);
    const box = (tile ?? tiles).getBoundingClientRect();
    const stage = tiles.getBoundingClientRect();
    // A little to one side or the other, so that several do not hide each other.
    const aside = ((reaction.id * 37) % 41) / 41 - 0.5;
    element.style.setProperty('--reaction-x', `${box.left - stage.left + box.width * (0.5 + aside * 0.5)}px`);
    element.style.setProperty('--reaction-y', `${box.bottom - stage.top - Math.min(box.height * 0.25, 64)}px`);
    return element;
  };
  cleanup.add(store.subscribe((s) => s.reactions, (all) => keyed(layer, all, { key: (one) => String(one.id), create }, kept)));
  return layer;
}
