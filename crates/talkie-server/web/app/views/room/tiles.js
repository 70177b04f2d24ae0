/**
 * The tiles of a call, from its state. Pure.
 * @module
 */
import { handOrder } from '../../peer/messages/presence.js';
import { strings } from '../../strings.js';

/** @import {AppStore} from '../../state.js' */
/** @import {PeerView, State} from '../../types.js' */
/** @import {TileView} from './tile.js' */

/**
 * All tiles in the order in which they stand in the page: screens, the others, ourselves.
 * @param {Readonly<State>} state
 * @returns {TileView[]}
 */
export function allTiles({ peers, media, hand, recording, held }) {
  const own = { peer: 'self', name: strings.room.you, self: true, phase: /** @type {const} */ ('connected'), path: null, quality: null, held };
  const order = handOrder([...peers, { key: 'self', hand }]);
  const others = peers.flatMap((peer) => tilesOf(peer, order.get(peer.key) ?? null));
  return [
    ...(media.screen ? [{ ...own, id: 'self-screen', kind: /** @type {const} */ ('screen'), picture: true, mic: true, hand: null, recording: false }] : []),
    ...others.filter((tile) => tile.kind === 'screen'),
    ...others.filter((tile) => tile.kind === 'camera'),
    {
      ...own, id: 'self-camera', kind: /** @type {const} */ ('camera'), picture: media.camera === 'on', mic: media.mic === 'on',
      hand: order.get('self') ?? null, recording: recording !== null,
    },
  ];
}

/** @param {PeerView} peer @param {number|null} hand its place @returns {TileView[]} */
function tilesOf(peer, hand) {
  const { key, phase, path, quality, held, verified, doubted, tampered } = peer;
  const name = peer.name || strings.room.guest;
  const shared = { peer: key, name, self: false, phase, path, quality, held, verified, doubted, tampered };
  return [
    ...(peer.screen ? [{ ...shared, id: `${key}-screen`, kind: /** @type {const} */ ('screen'), picture: true, mic: true, hand: null, recording: false }] : []),
    { ...shared, id: `${key}-camera`, kind: /** @type {const} */ ('camera'), picture: peer.camera, mic: peer.mic, hand, recording: peer.recording },
  ];
}

/** @param {AppStore} store @param {string} id of a tile */
export function togglePin(store, id) {
  store.set({ pinned: store.get().pinned === id ? null : id });
}
