/**
 * The stage: a tile for everybody and for every shared screen, each put where the arrangement says
 * (arrangement.js). Tiles stay in one container and only change place and size, so that no picture is
 * interrupted and nothing jumps when people come and go.
 * @module
 */
import { preferences } from '../../preferences.js';
import { strings } from '../../strings.js';
import { h, keyed } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { arrange, placeTiles } from './arrangement.js';
import { captions } from './captions.js';
import { letFloat } from './floating.js';
import { inviteButtons, inviteText } from './invite.js';
import { reactions } from './reactions.js';
import { streamsOf } from './streams.js';
import { createTile } from './tile.js';
import { allTiles, togglePin } from './tiles.js';

/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {TileElement, TileView} from './tile.js' */

/**
 * @param {{store: AppStore, local: LocalMedia, call: Call}} app
 * @param {Cleanup} cleanup
 */
export function stage({ store, local, call }, cleanup) {
  const tiles = h('div', { class: 'tiles', role: 'group', 'aria-label': strings.room.tiles, data: { testid: 'tiles' } });
  const place = h('div', { class: 'tiles-place' }, tiles, reactions(store, tiles, cleanup), captions(store, cleanup));
  const alone = aloneCard(store, cleanup);
  const sound = soundGate(store, cleanup);
  const element = h('div', { class: 'stage', data: { testid: 'stage' } }, place, alone, sound.button);
  /** @type {Map<string, TileElement>} */
  const shown = new Map();

  /** @param {TileView} tile */
  const create = (tile) => {
    const made = createTile(tile, { streams: () => streamsOf(tile, local, call), play: sound.play, pin: () => togglePin(store, tile.id) });
    if (tile.id === 'self-camera') letFloat(made, tiles);
    return made;
  };
  const put = () => {
    const state = store.get();
    const arrangement = arrange(allTiles(state), { layout: preferences.get().layout, pinned: state.pinned, speaker: state.speaker });
    putTiles(tiles, shown, arrangement, state.pinned);
    element.dataset.layout = arrangement.large.length ? 'large' : 'grid';
  };
  const draw = () => {
    const all = allTiles(store.get());
    keyed(tiles, all, { key: (tile) => tile.id, create }, shown);
    alone.hidden = all.length > 1;
    element.classList.toggle('alone', all.length === 1);
    put();
  };
  const ring = () => {
    const { speaking } = store.get();
    for (const tile of shown.values()) tile.dataset.speaking = String(tile.dataset.kind === 'camera' && speaking.includes(tile.dataset.peer ?? ''));
  };
  for (const part of /** @type {const} */ (['peers', 'media', 'hand', 'recording', 'held'])) cleanup.add(store.subscribe((s) => s[part], draw));
  cleanup.add(store.subscribe((s) => s.speaking, ring));
  cleanup.add(store.subscribe((s) => s.speaker, put));
  cleanup.add(store.subscribe((s) => s.pinned, put));
  cleanup.add(preferences.subscribe((p) => `${p.layout} ${p.selfCorner}`, put));
  cleanup.add(call.onMedia((link) => {
    for (const tile of shown.values()) if (tile.dataset.peer === link.key) tile.attach();
  }));
  // A video learns its size with its first picture, and a shared window may change it at any time.
  tiles.addEventListener('resize', put, true);
  const watch = new ResizeObserver(put);
  watch.observe(tiles);
  cleanup.add(() => watch.disconnect());
  cleanup.add(() => [...shown.values()].forEach((tile) => tile.dispose()));
  return element;
}

/**
 * @param {HTMLElement} container
 * @param {ReadonlyMap<string, TileElement>} shown
 * @param {import('./arrangement.js').Arrangement} arrangement
 * @param {string|null} pinned
 */
function putTiles(container, shown, arrangement, pinned) {
  const { width, height } = container.getBoundingClientRect();
  const gap = parseFloat(getComputedStyle(container).columnGap) || 0;
  const places = placeTiles(arrangement, { width, height, gap, corner: preferences.get().selfCorner, ratioOf: (id) => screenRatio(shown.get(id)) });
  for (const [id, tile] of shown) {
    const at = places.get(id);
    const size = arrangement.floating === id ? 'floating' : arrangement.large.includes(id) ? 'large' : arrangement.large.length ? 'small' : 'even';
    if (at) tile.put(at, size);
    tile.setPinned(pinned === id);
  }
}

/** @param {TileElement|undefined} tile @returns {number|null} height by width of a shared screen */
function screenRatio(tile) {
  if (tile?.dataset.kind !== 'screen') return null;
  const video = tile.querySelector('video');
  return video?.videoWidth ? video.videoHeight / video.videoWidth : 9 / 16;
}

/**
 * Sound that the browser holds back until somebody does something.
 * @param {AppStore} store @param {Cleanup} cleanup
 */
function soundGate(store, cleanup) {
  const button = h('button', { type: 'button', class: 'button primary hear', hidden: true, data: { testid: 'sound' } }, icon('sound'), strings.room.hear);
  /** @type {Set<HTMLAudioElement>} */
  const refused = new Set();
  /** @param {HTMLAudioElement} audio */
  const play = (audio) => void audio.play().catch((error) => {
    // AbortError: the stream was replaced meanwhile. Only a refusal needs the person.
    if (error?.name !== 'NotAllowedError') return;
    refused.add(audio);
    store.set({ soundBlocked: true });
  });
  const playAll = () => {
    if (!store.get().soundBlocked) return;
    store.set({ soundBlocked: false });
    const again = [...refused].filter((audio) => audio.srcObject !== null);
    refused.clear();
    again.forEach(play);
  };
  // Any gesture will do, and so will a microphone that is in use; the button is for who makes none.
  for (const gesture of ['click', 'keydown']) {
    document.addEventListener(gesture, playAll);
    cleanup.add(() => document.removeEventListener(gesture, playAll));
  }
  cleanup.add(store.subscribe((s) => s.media.mic, playAll));
  cleanup.add(store.subscribe((s) => s.soundBlocked, (blocked) => (button.hidden = !blocked)));
  return { button, play };
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
