/**
 * One tile: a person, or a screen that somebody shares. Pictures are muted videos; the sound comes from
 * an audio element of its own, so that hiding a picture never silences anybody. What goes on beside the
 * picture (hand, recording, being kept large, speaking) stands over it and never moves it.
 * @module
 */
import { playThroughSpeaker } from '../../media/speaker.js';
import { hueOf, initials } from '../../names.js';
import { strings } from '../../strings.js';
import { h, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { badge } from './badge.js';
import { trustMark } from '../trust/mark.js';

/** @import {Phase, PeerPath} from '../../types.js' */
/** @import {Place} from './arrangement.js' */

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
 * @property {boolean} held
 * @property {number|null} hand place in the queue of raised hands
 * @property {boolean} recording
 * @property {PeerPath|null} path
 * @property {number|null} quality bars
 * @property {boolean} [verified] the safety number was compared
 * @property {boolean} [doubted]
 * @property {boolean} [tampered]
 */

/** @typedef {{video: MediaStream|null, audio: MediaStream|null}} TileStreams */
/**
 * @typedef {object} TileParts
 * @property {(tile: TileView) => void} update
 * @property {(place: Place, size: 'even'|'large'|'small'|'floating') => void} put
 * @property {(pinned: boolean) => void} setPinned
 * @property {() => void} attach
 * @property {() => void} dispose
 */
/** @typedef {HTMLElement & TileParts} TileElement */

/**
 * @param {TileView} first
 * @param {object} how
 * @param {() => TileStreams} how.streams
 * @param {(audio: HTMLAudioElement) => void} how.play starts the sound, or asks for a click first
 * @param {() => void} how.pin keeps the tile large, or no longer
 * @returns {TileElement}
 */
export function createTile(first, { streams, play, pin }) {
  const video = h('video', { autoplay: true, playsinline: true, disablepictureinpicture: first.self, 'aria-hidden': 'true', data: { testid: 'tile-video' } });
  video.muted = true;
  const audio = h('audio', { data: { testid: 'tile-audio' } });
  if (!first.self) playThroughSpeaker(audio);
  const avatar = h('div', { class: 'avatar', 'aria-hidden': 'true' });
  const name = h('bdi', { class: 'tile-name', data: { testid: 'tile-name' } });
  const muted = h('span', { class: 'tile-muted', role: 'img', 'aria-label': strings.room.muted, title: strings.room.muted }, icon('micOff'));
  const phase = h('p', { class: 'tile-phase', role: 'status' });
  const path = badge();
  const trust = trustMark();
  const marks = tileMarks();
  const keep = pinButton(first, pin);
  const element = h(
    'article',
    { class: 'tile', tabindex: -1, data: { testid: 'tile', peer: first.peer, kind: first.kind, self: String(first.self) } },
    avatar, video, audio, phase, marks.element, keep.element,
    h('div', { class: 'tile-foot' }, h('span', { class: 'tile-label' }, muted, trust.element, name), path.element),
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
      keep.name(label);
    }
    Object.assign(element.dataset, { state: tile.phase, picture: String(tile.picture), mic: String(tile.mic) });
    // A way that is not there at present is none.
    const way = tile.phase === 'connected' ? tile.path : null;
    setAttribute(element, 'data-badge', way?.kind);
    setAttribute(element, 'data-quality', way ? tile.quality : null);
    muted.hidden = tile.mic || tile.kind === 'screen';
    const words = tile.held ? strings.held : tile.self || tile.phase === 'connected' ? '' : strings.phase[tile.phase];
    if (phase.textContent !== words) phase.textContent = words;
    setAttribute(element, 'data-held', tile.held || null);
    setAttribute(element, 'data-verified', tile.verified ? 'true' : null);
    setAttribute(element, 'data-tampered', tile.tampered ? 'true' : null);
    marks.update(tile);
    trust.update(tile);
    path.update(tile.kind === 'screen' ? null : way, tile.quality);
    attach();
  };
  const dispose = () => {
    video.srcObject = null;
    audio.srcObject = null;
  };
  return Object.assign(element, { update, attach, dispose, put: putter(element), setPinned: keep.set });
}

/** @param {HTMLElement} element @returns {TileParts['put']} */
function putter(element) {
  return ({ x, y, width, height }, size) => {
    element.dataset.size = size;
    for (const [name, value] of Object.entries({ x, y, width, height })) element.style.setProperty(`--tile-${name}`, `${value}px`);
  };
}

/** The hand with its place in the queue, and the red mark of who records. */
function tileMarks() {
  const place = h('span', { 'aria-hidden': 'true' });
  const hand = h('span', { class: 'tile-hand', role: 'img', hidden: true, data: { testid: 'tile-hand' } }, icon('hand'), place);
  const recording = h('span', { class: 'tile-recording', hidden: true, data: { testid: 'tile-recording' } }, h('span', { class: 'red-dot', 'aria-hidden': 'true' }), strings.room.recording);
  return {
    element: h('div', { class: 'tile-marks' }, hand, recording),
    /** @param {TileView} tile */
    update(tile) {
      hand.hidden = tile.hand === null;
      hand.setAttribute('aria-label', strings.room.hand(tile.hand ?? 0));
      place.textContent = tile.hand === null ? '' : String(tile.hand);
      recording.hidden = !tile.recording;
    },
  };
}

/** @param {TileView} tile @param {() => void} pin */
function pinButton(tile, pin) {
  const element = h('button', { type: 'button', class: 'tile-pin', 'aria-pressed': 'false', data: { testid: 'pin' }, on: { click: pin } }, icon('pin'));
  let named = tile.name;
  let pinned = false;
  const dress = () => {
    element.setAttribute('aria-pressed', String(pinned));
    element.setAttribute('aria-label', strings.room.pin(named));
    element.title = pinned ? strings.room.unpin(named) : strings.room.pin(named);
  };
  return {
    element,
    /** @param {string} label */
    name(label) {
      named = label;
      dress();
    },
    /** @param {boolean} on */
    set(on) {
      pinned = on;
      dress();
    },
  };
}
