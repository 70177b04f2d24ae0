/**
 * The stage: tiles in the grid that makes them largest; a shared screen gets most of the room and the
 * people a strip beside it.
 * @module
 */
import { strings } from '../../strings.js';
import { Cleanup, h, keyed } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { inviteButtons, inviteText } from './invite.js';
import { bestGrid } from './layout.js';
import { createTile, tilesOf } from './tile.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {State, Slot} from '../../types.js' */
/** @import {TileElement, TileView, TileStreams} from './tile.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, call: Call}} app
 * @param {Cleanup} cleanup
 */
export function stage({ store, local, call }, cleanup) {
  const screens = h('div', { class: 'screens', hidden: true });
  const grid = h('div', { class: 'grid', role: 'group', 'aria-label': strings.room.tiles });
  const alone = aloneCard(store, cleanup);
  const hear = h('button', { type: 'button', class: 'button primary hear', hidden: true, data: { testid: 'sound' } }, icon('sound'), strings.room.hear);
  const element = h('div', { class: 'stage' }, screens, h('div', { class: 'people-area' }, grid, alone), hear);
  /** @type {Map<string, TileElement>} */
  const screenTiles = new Map();
  /** @type {Map<string, TileElement>} */
  const personTiles = new Map();

  /** @param {HTMLAudioElement} audio */
  const play = (audio) => void audio.play().catch((error) => {
    // AbortError: the stream was replaced meanwhile. Only a refusal needs the person.
    if (error?.name === 'NotAllowedError') store.set({ soundBlocked: true });
  });
  const playAll = () => {
    if (!store.get().soundBlocked) return;
    store.set({ soundBlocked: false });
    element.querySelectorAll('audio').forEach(play);
  };
  // Any gesture will do, and so will a microphone that is in use; the button is for who makes none.
  for (const gesture of ['click', 'keydown']) {
    document.addEventListener(gesture, playAll);
    cleanup.add(() => document.removeEventListener(gesture, playAll));
  }
  cleanup.add(store.subscribe((s) => s.media.mic, playAll));
  /** @param {TileView} tile */
  const create = (tile) => createTile(tile, () => streamsOf(tile, local, call), play);
  const fit = () => {
    layOutScreens(screens, [...screenTiles.values()]);
    layOut(grid, personTiles.size, screenTiles.size > 0);
  };
  // A video learns its size with its first picture, and a shared window may change it at any time.
  screens.addEventListener('resize', fit, true);

  const draw = () => {
    const tiles = allTiles(store.get());
    const shared = tiles.filter((tile) => tile.kind === 'screen');
    const people = tiles.filter((tile) => tile.kind === 'camera');
    screens.hidden = shared.length === 0;
    element.classList.toggle('presenting', shared.length > 0);
    keyed(screens, shared, { key: (tile) => tile.id, create }, screenTiles);
    keyed(grid, people, { key: (tile) => tile.id, create }, personTiles);
    alone.hidden = people.length > 1;
    element.classList.toggle('alone', people.length === 1);
    fit();
  };
  cleanup.add(store.subscribe((s) => s.peers, draw));
  cleanup.add(store.subscribe((s) => s.media, draw));
  cleanup.add(store.subscribe((s) => s.soundBlocked, (blocked) => (hear.hidden = !blocked)));
  cleanup.add(call.onMedia((link) => {
    for (const tiles of [screenTiles, personTiles]) {
      for (const tile of tiles.values()) if (tile.dataset.peer === link.key) tile.attach();
    }
  }));
  const watch = new ResizeObserver(fit);
  watch.observe(element);
  watch.observe(grid);
  cleanup.add(() => watch.disconnect());
  cleanup.add(() => [...screenTiles.values(), ...personTiles.values()].forEach((tile) => tile.dispose()));
  return element;
}

/** @param {State} state @returns {TileView[]} */
function allTiles({ peers, media }) {
  const own = { peer: 'self', name: strings.room.you, self: true, phase: /** @type {const} */ ('connected'), path: null };
  return [
    ...(media.screen ? [{ ...own, id: 'self-screen', kind: /** @type {const} */ ('screen'), picture: true, mic: true }] : []),
    ...peers.flatMap(tilesOf),
    { ...own, id: 'self-camera', kind: /** @type {const} */ ('camera'), picture: media.camera === 'on', mic: media.mic === 'on' },
  ];
}

/** Own streams are made once per track: a new MediaStream at each drawing would restart the video. */
const ownStreams = /** @type {WeakMap<MediaStreamTrack, MediaStream>} */ (new WeakMap());

/** @param {TileView} tile @param {LocalMedia} local @param {Call} call @returns {TileStreams} */
function streamsOf(tile, local, call) {
  if (tile.self) return { video: ownStream(local.tracks.get(tile.kind)), audio: null };
  const link = call.link(tile.peer);
  /** @type {Slot} */
  const sound = tile.kind === 'screen' ? 'screenAudio' : 'mic';
  return { video: link?.stream(tile.kind) ?? null, audio: link?.stream(sound) ?? null };
}

/** @param {MediaStreamTrack|undefined} track */
function ownStream(track) {
  if (!track) return null;
  let stream = ownStreams.get(track);
  if (!stream) ownStreams.set(track, (stream = new MediaStream([track])));
  return stream;
}

/**
 * Screens one above the other, each in its own proportions, so that no bars are left around it.
 * @param {HTMLElement} screens
 * @param {TileElement[]} tiles
 */
function layOutScreens(screens, tiles) {
  const tall = tiles.map((tile) => {
    const video = tile.querySelector('video');
    const ratio = video?.videoWidth ? video.videoHeight / video.videoWidth : 9 / 16;
    tile.style.setProperty('--tall', String(ratio));
    return ratio;
  });
  screens.style.setProperty('--tall-together', String(tall.reduce((sum, ratio) => sum + ratio, 0) || 1));
  screens.style.setProperty('--gaps', String(Math.max(0, tiles.length - 1)));
}

/** @param {HTMLElement} grid @param {number} tiles @param {boolean} beside a screen */
function layOut(grid, tiles, beside) {
  const { width, height } = grid.getBoundingClientRect();
  const gap = parseFloat(getComputedStyle(grid).columnGap) || 0;
  const best = bestGrid(tiles, { width, height, gap, beside });
  grid.style.setProperty('--tile-width', `${best.width}px`);
  grid.style.setProperty('--tile-height', `${best.height}px`);
}

/** @param {AppStore} store @param {Cleanup} cleanup */
function aloneCard(store, cleanup) {
  const t = strings.room;
  return h(
    'section',
    { class: 'alone-card', data: { testid: 'alone' } },
    h('h2', {}, t.aloneTitle),
    h('p', { class: 'hint' }, t.aloneHint),
    ...inviteText(store, cleanup),
    inviteButtons(store, 'primary'),
  );
}
