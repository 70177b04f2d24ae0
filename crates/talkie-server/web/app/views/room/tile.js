/**
 * One tile: a person, or a screen that somebody shares. Pictures are muted videos; the sound comes from
 * an audio element of its own, so that hiding a picture never silences anybody.
 * @module
 */
import { hueOf, initials } from '../../names.js';
import { strings } from '../../strings.js';
import { h, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { badge } from './badge.js';

/** @import {PeerView, Phase, PeerPath} from '../../types.js' */

/**
 * @typedef {object} TileView what a tile shows
 * @property {string} id
 * @property {string} peer key of the peer, `self` for ourselves
 * @property {'camera'|'screen'} kind
 * @property {string} name
 * @property {boolean} self
 * @property {boolean} picture
 * @property {boolean} mic
 * @property {Phase} phase
 * @property {PeerPath|null} path
 */

/** @typedef {{video: MediaStream|null, audio: MediaStream|null}} TileStreams */
/** @typedef {HTMLElement & {update: (tile: TileView) => void, attach: () => void, dispose: () => void}} TileElement */

/**
 * @param {TileView} first
 * @param {() => TileStreams} streams
 * @param {(audio: HTMLAudioElement) => void} play starts the sound, or asks for a click first
 * @returns {TileElement}
 */
export function createTile(first, streams, play) {
  const video = h('video', { autoplay: true, playsinline: true, 'aria-hidden': 'true', data: { testid: 'tile-video' } });
  video.muted = true;
  const audio = h('audio', { data: { testid: 'tile-audio' } });
  const avatar = h('div', { class: 'avatar', 'aria-hidden': 'true' });
  const name = h('bdi', { class: 'tile-name', data: { testid: 'tile-name' } });
  const muted = h('span', { class: 'tile-muted', role: 'img', 'aria-label': strings.room.muted, title: strings.room.muted }, icon('micOff'));
  const phase = h('p', { class: 'tile-phase', role: 'status' });
  const path = badge();
  const element = h(
    'article',
    { class: 'tile', tabindex: -1, data: { testid: 'tile', peer: first.peer, kind: first.kind, self: String(first.self) } },
    avatar, video, audio, phase,
    h('div', { class: 'tile-foot' }, h('span', { class: 'tile-label' }, muted, name), path.element),
  );
  const attach = () => {
    const { video: picture, audio: sound } = streams();
    if (video.srcObject !== picture) video.srcObject = picture;
    if (audio.srcObject === sound || first.self) return;
    audio.srcObject = sound;
    if (sound) play(audio);
  };
  /** @param {TileView} tile */
  const update = (tile) => {
    const label = tile.kind === 'screen' ? (tile.self ? strings.room.yourScreen : strings.room.screenOf(tile.name)) : tile.name;
    if (name.textContent !== label) {
      name.textContent = label;
      avatar.textContent = initials(tile.name);
      avatar.style.setProperty('--hue', String(hueOf(tile.name)));
      element.setAttribute('aria-label', label);
    }
    Object.assign(element.dataset, { state: tile.phase, picture: String(tile.picture), mic: String(tile.mic) });
    // A way that is not there at present is none.
    const way = tile.phase === 'connected' ? tile.path : null;
    setAttribute(element, 'data-badge', way?.kind);
    muted.hidden = tile.mic || tile.kind === 'screen';
    const words = tile.self || tile.phase === 'connected' ? '' : strings.phase[tile.phase];
    if (phase.textContent !== words) phase.textContent = words;
    path.update(tile.kind === 'screen' ? null : way);
    attach();
  };
  const dispose = () => {
    video.srcObject = null;
    audio.srcObject = null;
  };
  return Object.assign(element, { update, attach, dispose });
}

/** @param {PeerView} peer @returns {TileView[]} */
export function tilesOf(peer) {
  const { key, phase, path } = peer;
  const name = peer.name || strings.room.guest;
  const shared = { peer: key, name, self: false, phase, path };
  return [
    ...(peer.screen ? [{ ...shared, id: `${key}-screen`, kind: /** @type {const} */ ('screen'), picture: true, mic: true }] : []),
    { ...shared, id: `${key}-camera`, kind: /** @type {const} */ ('camera'), picture: peer.camera, mic: peer.mic },
  ];
}
