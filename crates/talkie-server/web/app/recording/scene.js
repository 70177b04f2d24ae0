/**
 * Draws the tiles of the call into the picture that is recorded: cameras cropped to their place, screens
 * whole, initials where there is no picture, names on all of them.
 * @module
 */
import { hueOf, initials } from '../names.js';
import { arrange, placeTiles } from '../views/room/arrangement.js';

/** @import {Place} from '../views/room/arrangement.js' */

/**
 * @typedef {object} SceneTile
 * @property {string} id
 * @property {string} peer
 * @property {'camera'|'screen'} kind
 * @property {boolean} self
 * @property {string} name as it is written on the tile
 * @property {boolean} picture
 * @property {MediaStream|null} stream
 */

/** @typedef {{layout: 'grid'|'speaker', pinned: string|null, speaker: string|null}} SceneChoice */

export const PICTURE = { width: 1280, height: 720 };
const GAP = 8;
const BACKGROUND = '#101416';
const TILE = '#1e2628';

export class Scene {
  #drawing;
  /** Elements of our own, so that a hidden stage or another view takes nothing away. @type {Map<string, HTMLVideoElement>} */ #videos = new Map();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    Object.assign(canvas, PICTURE);
    const drawing = canvas.getContext('2d', { alpha: false });
    if (!drawing) throw new Error('no canvas to draw on');
    this.#drawing = drawing;
  }

  /** @param {readonly SceneTile[]} tiles @param {SceneChoice} choice */
  draw(tiles, choice) {
    this.#follow(tiles);
    const drawing = this.#drawing;
    drawing.fillStyle = BACKGROUND;
    drawing.fillRect(0, 0, PICTURE.width, PICTURE.height);
    let arrangement = arrange(tiles, choice);
    // On the stage our own picture floats; who watches later wants to see both.
    if (arrangement.floating) arrangement = { large: [], small: tiles.map((tile) => tile.id), floating: null };
    const places = placeTiles(arrangement, { ...PICTURE, gap: GAP, ratioOf: (id) => this.#ratio(tiles.find((tile) => tile.id === id)) });
    for (const tile of tiles) {
      const place = places.get(tile.id);
      if (place) this.#tile(tile, place);
    }
  }

  close() {
    for (const video of this.#videos.values()) video.srcObject = null;
    this.#videos.clear();
  }

  /** @param {readonly SceneTile[]} tiles */
  #follow(tiles) {
    const ids = new Set(tiles.map((tile) => tile.id));
    for (const [id, video] of this.#videos) {
      if (ids.has(id)) continue;
      video.srcObject = null;
      this.#videos.delete(id);
    }
    for (const { id, stream } of tiles) {
      let video = this.#videos.get(id);
      if (!video) {
        video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, autoplay: true });
        this.#videos.set(id, video);
      }
      if (video.srcObject === stream) continue;
      video.srcObject = stream;
      if (stream) void video.play().catch(() => {});
    }
  }

  /** @param {SceneTile|undefined} tile @returns {number|null} */
  #ratio(tile) {
    if (tile?.kind !== 'screen') return null;
    const video = this.#videos.get(tile.id);
    return video?.videoWidth ? video.videoHeight / video.videoWidth : 9 / 16;
  }

  /** @param {SceneTile} tile @param {Place} place */
  #tile(tile, place) {
    const drawing = this.#drawing;
    const video = this.#videos.get(tile.id);
    drawing.save();
    drawing.beginPath();
    drawing.roundRect(place.x, place.y, place.width, place.height, 14);
    drawing.clip();
    drawing.fillStyle = TILE;
    drawing.fillRect(place.x, place.y, place.width, place.height);
    if (tile.picture && video && video.readyState >= 2 && video.videoWidth > 0) drawCovering(drawing, video, place);
    else drawInitials(drawing, tile.name, place);
    drawName(drawing, tile.name, place);
    drawing.restore();
  }
}

/** @param {CanvasRenderingContext2D} drawing @param {HTMLVideoElement} video @param {Place} place */
function drawCovering(drawing, video, { x, y, width, height }) {
  const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
  const wide = video.videoWidth * scale;
  const high = video.videoHeight * scale;
  drawing.drawImage(video, x + (width - wide) / 2, y + (height - high) / 2, wide, high);
}

/** @param {CanvasRenderingContext2D} drawing @param {string} name @param {Place} place */
function drawInitials(drawing, name, { x, y, width, height }) {
  const radius = Math.min(width, height) * 0.2;
  const [middle, centre] = [x + width / 2, y + height / 2];
  drawing.fillStyle = `hsl(${hueOf(name)} 32% 38%)`;
  drawing.beginPath();
  drawing.arc(middle, centre, radius, 0, 2 * Math.PI);
  drawing.fill();
  drawing.fillStyle = '#ffffff';
  drawing.font = `600 ${Math.round(radius * 0.8)}px system-ui, sans-serif`;
  drawing.textAlign = 'center';
  drawing.textBaseline = 'middle';
  drawing.fillText(initials(name), middle, centre);
}

/** @param {CanvasRenderingContext2D} drawing @param {string} name @param {Place} place */
function drawName(drawing, name, { x, y, width, height }) {
  drawing.font = '500 18px system-ui, sans-serif';
  drawing.textAlign = 'left';
  drawing.textBaseline = 'middle';
  const words = shortened(name, (text) => drawing.measureText(text).width <= width - 48);
  const wide = drawing.measureText(words).width + 24;
  drawing.fillStyle = 'rgb(12 18 19 / 0.72)';
  drawing.beginPath();
  drawing.roundRect(x + 10, y + height - 42, wide, 32, 16);
  drawing.fill();
  drawing.fillStyle = '#ffffff';
  drawing.fillText(words, x + 22, y + height - 26);
}

/** @param {string} text @param {(text: string) => boolean} fits */
export function shortened(text, fits) {
  if (fits(text)) return text;
  const letters = [...text];
  while (letters.length > 0 && !fits(`${letters.join('')}…`)) letters.pop();
  return `${letters.join('')}…`;
}
