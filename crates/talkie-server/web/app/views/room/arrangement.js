/**
 * Who is shown large, who small, and where each tile is. Pure: views hand in what there is and how much
 * room, and get a place for each tile.
 *
 * Large are what somebody pinned, or else shared screens, or else (in the speaker layout) who speaks.
 * With nothing large all are the same size, in a grid. When there are only two people, the own picture
 * floats small over the other's.
 * @module
 */
import { bestGrid } from './layout.js';

/** @typedef {{id: string, peer: string, kind: 'camera'|'screen', self: boolean}} Shown */
/** @typedef {{large: string[], small: string[], floating: string|null}} Arrangement ids of tiles */
/** @typedef {{x: number, y: number, width: number, height: number}} Place in pixels */
/** @typedef {'top-left'|'top-right'|'bottom-left'|'bottom-right'} Corner */

export const CORNERS = /** @type {const} */ (['bottom-right', 'bottom-left', 'top-left', 'top-right']);

/**
 * @param {readonly Shown[]} tiles
 * @param {{layout: 'grid'|'speaker', pinned: string|null, speaker: string|null}} choice
 * @returns {Arrangement}
 */
export function arrange(tiles, { layout, pinned, speaker }) {
  const ids = tiles.map((tile) => tile.id);
  const others = tiles.filter((tile) => !tile.self && tile.kind === 'camera');
  const screens = tiles.filter((tile) => tile.kind === 'screen');
  const spotlit = (others.find((tile) => tile.peer === speaker) ?? others[0])?.id;
  let large = screens.map((tile) => tile.id);
  if (pinned !== null && ids.includes(pinned)) large = [pinned];
  else if (large.length === 0 && layout === 'speaker' && spotlit) large = [spotlit];
  const own = tiles.find((tile) => tile.self && tile.kind === 'camera');
  const other = others[0];
  // Only two, and nothing else to see: the other fills the stage.
  if (own && other && tiles.length === 2 && !large.includes(own.id)) return { large: [other.id], small: [], floating: own.id };
  return { large, small: ids.filter((id) => !large.includes(id)), floating: null };
}

/** What a camera's tile may be, by width to height, so that little of the picture is cropped. */
const WIDEST = 2;
const GAP_AROUND = 12;

/**
 * @param {Arrangement} arrangement
 * @param {{width: number, height: number, gap: number, corner?: Corner, ratioOf?: (id: string) => number|null}} stage
 *   `ratioOf`: height by width of what must not be cropped (a screen); null: a camera
 * @returns {Map<string, Place>}
 */
export function placeTiles(arrangement, { width, height, gap, corner = 'bottom-right', ratioOf = () => null }) {
  const { large, small, floating } = arrangement;
  /** @type {Map<string, Place>} */
  const places = new Map();
  const whole = { x: 0, y: 0, width, height };
  if (large.length === 0) grid(small, whole, gap, false, places);
  else if (small.length === 0) column(large, whole, gap, ratioOf, places);
  else {
    const strip = stripOf(small.length, width, height, gap);
    const beside = strip.height === height;
    const stage = beside ? { ...whole, width: width - strip.width - gap } : { ...whole, height: height - strip.height - gap };
    column(large, stage, gap, ratioOf, places);
    grid(small, beside ? { ...strip, x: width - strip.width, y: 0 } : { ...strip, x: 0, y: height - strip.height }, gap, true, places);
  }
  if (floating !== null) places.set(floating, inCorner(width, height, corner));
  return places;
}

/** The strip stands beside a wide stage and below an upright one. @param {number} count @param {number} width @param {number} height @param {number} gap */
function stripOf(count, width, height, gap) {
  if (width >= height) return { width: Math.round(Math.min(Math.max(width * 0.18, 120), 320)), height };
  // As many side by side as still show a face; two rows for more.
  const rows = count > 3 ? 2 : 1;
  const columns = Math.ceil(count / rows);
  const tile = Math.min((width - gap * (columns - 1)) / columns, width * 0.45);
  return { width, height: Math.round(Math.min(rows * tile * (3 / 4) + gap * (rows - 1), height * 0.38)) };
}

/**
 * @param {readonly string[]} ids @param {Place} area @param {number} gap
 * @param {boolean} beside a large tile
 * @param {Map<string, Place>} places
 */
function grid(ids, area, gap, beside, places) {
  const best = bestGrid(ids.length, { width: area.width, height: area.height, gap, beside });
  const rows = Math.ceil(ids.length / best.columns);
  const top = area.y + Math.max(0, (area.height - rows * best.height - (rows - 1) * gap) / 2);
  ids.forEach((id, at) => {
    const row = Math.floor(at / best.columns);
    const inRow = row === rows - 1 ? ids.length - row * best.columns : best.columns;
    const left = area.x + (area.width - inRow * best.width - (inRow - 1) * gap) / 2;
    const place = { x: left + (at % best.columns) * (best.width + gap), y: top + row * (best.height + gap) };
    places.set(id, { x: Math.round(place.x), y: Math.round(place.y), width: best.width, height: best.height });
  });
}

/**
 * One above the other, as wide as the area gives: a screen in its own proportions, so that there are no
 * bars around it; a camera fills what there is, but is never a letter box.
 * @param {readonly string[]} ids @param {Place} area @param {number} gap
 * @param {(id: string) => number|null} ratioOf
 * @param {Map<string, Place>} places
 */
function column(ids, area, gap, ratioOf, places) {
  const each = (area.height - gap * (ids.length - 1)) / ids.length;
  const sizes = ids.map((id) => {
    const ratio = ratioOf(id);
    if (ratio === null) return { width: Math.min(area.width, each * WIDEST), height: each };
    const wide = Math.min(area.width, each / ratio);
    return { width: wide, height: wide * ratio };
  });
  const together = sizes.reduce((sum, size) => sum + size.height, 0) + gap * (ids.length - 1);
  let y = area.y + Math.max(0, (area.height - together) / 2);
  ids.forEach((id, at) => {
    const { width = 0, height = 0 } = sizes[at] ?? {};
    places.set(id, { x: Math.round(area.x + (area.width - width) / 2), y: Math.round(y), width: Math.floor(width), height: Math.floor(height) });
    y += height + gap;
  });
}

/** @param {number} width @param {number} height @param {Corner} corner @returns {Place} */
function inCorner(width, height, corner) {
  const upright = height > width * 1.25;
  const wide = Math.round(Math.min(Math.max(Math.min(width, height * 1.6) * (upright ? 0.3 : 0.2), 96), 300));
  const high = Math.round(upright ? (wide * 4) / 3 : (wide * 9) / 16);
  const x = corner.endsWith('left') ? GAP_AROUND : width - wide - GAP_AROUND;
  const y = corner.startsWith('top') ? GAP_AROUND : height - high - GAP_AROUND;
  return { x: Math.max(0, x), y: Math.max(0, y), width: wide, height: high };
}

/** The corner of the stage that a point is nearest to. @param {number} x @param {number} y @param {{width: number, height: number}} stage @returns {Corner} */
export function nearestCorner(x, y, { width, height }) {
  return `${y < height / 2 ? 'top' : 'bottom'}-${x < width / 2 ? 'left' : 'right'}`;
}
