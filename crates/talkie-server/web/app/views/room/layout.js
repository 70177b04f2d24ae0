/**
 * How many columns make the tiles largest. Pure.
 * @module
 */

/**
 * @param {number} tiles
 * @param {{width: number, height: number, gap: number, beside?: boolean}} stage `beside`: a shared screen
 * @returns {{columns: number, width: number, height: number}} of the grid and of each tile, in pixels
 */
export function bestGrid(tiles, { width, height, gap, beside = false }) {
  let best = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, tiles); columns += 1) {
    const rows = Math.ceil(tiles / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    // Cameras are wide: on a wide stage a tile stays close to that, so that little is cropped. On a
    // phone held upright it may be upright too. Beside a screen it is small, and shows all there is.
    const tallest = beside ? 9 / 16 : height > width * 1.25 ? 5 / 4 : 3 / 4;
    const tileWidth = Math.min(cellWidth, (cellHeight * 16) / 9);
    const tileHeight = Math.min(cellHeight, tileWidth * tallest);
    if (tileWidth * tileHeight > best.width * best.height * 1.02) {
      best = { columns, width: Math.floor(tileWidth), height: Math.floor(tileHeight) };
    }
  }
  return best;
}
