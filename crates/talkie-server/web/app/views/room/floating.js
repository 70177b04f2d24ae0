/**
 * The own picture, when it floats over the other's: dragged into another corner, or sent there with its
 * button or the arrow keys. The corner is remembered.
 * @module
 */
import { prefer, preferences } from '../../preferences.js';
import { strings } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { CORNERS, nearestCorner } from './arrangement.js';

/** @import {TileElement} from './tile.js' */
/** @import {Corner} from './arrangement.js' */

/**
 * @param {TileElement} tile
 * @param {HTMLElement} stage what it moves in
 */
export function letFloat(tile, stage) {
  const move = h(
    'button',
    {
      type: 'button', class: 'tile-move', 'aria-label': strings.room.moveSelf, title: strings.room.moveSelf, data: { testid: 'move-self' },
      on: { click: () => prefer({ selfCorner: CORNERS[(CORNERS.indexOf(preferences.get().selfCorner) + 1) % CORNERS.length] ?? CORNERS[0] }) },
    },
    icon('move'),
  );
  move.addEventListener('keydown', (event) => {
    const corner = towards(preferences.get().selfCorner, event.key);
    if (!corner) return;
    event.preventDefault();
    prefer({ selfCorner: corner });
  });
  tile.append(move);
  tile.addEventListener('pointerdown', (event) => {
    const onButton = event.target instanceof Element && event.target.closest('button');
    if (tile.dataset.size !== 'floating' || event.button !== 0 || onButton) return;
    drag(tile, stage, event);
  });
}

/** @param {TileElement} tile @param {HTMLElement} stage @param {PointerEvent} down */
function drag(tile, stage, down) {
  down.preventDefault();
  tile.setPointerCapture(down.pointerId);
  tile.classList.add('dragged');
  /** @param {PointerEvent} event */
  const follow = (event) => {
    tile.style.setProperty('--drag-x', `${event.clientX - down.clientX}px`);
    tile.style.setProperty('--drag-y', `${event.clientY - down.clientY}px`);
  };
  /** @param {PointerEvent} event */
  const drop = (event) => {
    tile.removeEventListener('pointermove', follow);
    tile.removeEventListener('pointerup', drop);
    tile.removeEventListener('pointercancel', drop);
    tile.classList.remove('dragged');
    tile.style.removeProperty('--drag-x');
    tile.style.removeProperty('--drag-y');
    const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 8;
    const { left, top, width, height } = stage.getBoundingClientRect();
    if (moved) prefer({ selfCorner: nearestCorner(event.clientX - left, event.clientY - top, { width, height }) });
  };
  tile.addEventListener('pointermove', follow);
  tile.addEventListener('pointerup', drop);
  tile.addEventListener('pointercancel', drop);
}

/** @param {Corner} corner @param {string} key @returns {Corner|null} */
function towards(corner, key) {
  const [upright, sideways] = corner.split('-');
  switch (key) {
    case 'ArrowUp':
      return /** @type {Corner} */ (`top-${sideways}`);
    case 'ArrowDown':
      return /** @type {Corner} */ (`bottom-${sideways}`);
    case 'ArrowLeft':
      return /** @type {Corner} */ (`${upright}-left`);
    case 'ArrowRight':
      return /** @type {Corner} */ (`${upright}-right`);
    default:
      return null;
  }
}
