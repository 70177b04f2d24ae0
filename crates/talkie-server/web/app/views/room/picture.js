/**
 * The call in a small window over other windows: the one who speaks, with the controls that one needs
 * there (Document Picture-in-Picture), or just the picture (where only that exists). Firefox has a button
 * of its own on every video and no interface for pages; there nothing is offered.
 * @module
 */
import { toast } from '../../state.js';
import { strings } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { allTiles } from './tiles.js';
import { streamsOf } from './streams.js';
import { deviceButton } from './round-buttons.js';
import { arrange } from './arrangement.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Call} from '../../session/call.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {State} from '../../types.js' */
/** @typedef {{store: AppStore, local: LocalMedia, call: Call}} App */

const SIZE = { width: 400, height: 300 };

const documentPictureInPicture = () => /** @type {any} */ (globalThis).documentPictureInPicture;

export function canPictureInPicture() {
  return Boolean(documentPictureInPicture()) || document.pictureInPictureEnabled === true;
}

/** @type {(() => void)|null} */
let closeOpen = null;

/** Opens it, or closes the one that is open. Needs a person's click. @param {App} app */
export async function pictureInPicture(app) {
  if (closeOpen) return closeOpen();
  try {
    await (documentPictureInPicture() ? openWindow(app) : openVideo(app));
  } catch (error) {
    console.warn('talkie: picture-in-picture', error);
    toast(app.store, 'bad', strings.room.pictureFailed);
  }
}

/** @param {App} app */
async function openWindow(app) {
  /** @type {Window} */
  const place = await documentPictureInPicture().requestWindow(SIZE);
  const cleanup = new Cleanup();
  const { video, name } = followed(app, cleanup);
  const controls = h('div', { class: 'pip-controls' }, deviceButton('mic', app.store, app.local, cleanup), deviceButton('camera', app.store, app.local, cleanup));
  for (const sheet of document.querySelectorAll('link[rel="stylesheet"]')) place.document.head.append(sheet.cloneNode());
  place.document.title = strings.room.pictureInPicture;
  place.document.documentElement.lang = document.documentElement.lang;
  place.document.body.append(h('main', { class: 'pip', data: { testid: 'pip-window' } }, video, name, controls));
  const end = () => {
    closeOpen = null;
    cleanup.run();
  };
  closeOpen = () => place.close();
  place.addEventListener('pagehide', end, { once: true });
  cleanup.add(closeWithCall(app.store));
}

/** @param {App} app */
async function openVideo(app) {
  const cleanup = new Cleanup();
  const { video } = followed(app, cleanup);
  video.classList.add('visually-hidden');
  document.body.append(video);
  const end = () => {
    closeOpen = null;
    cleanup.run();
    video.remove();
  };
  try {
    if (video.readyState === 0) await new Promise((resolve) => video.addEventListener('loadedmetadata', resolve, { once: true }));
    await video.requestPictureInPicture();
  } catch (error) {
    end();
    throw error;
  }
  video.addEventListener('leavepictureinpicture', end, { once: true });
  closeOpen = () => void document.exitPictureInPicture();
  cleanup.add(closeWithCall(app.store));
}

/** @param {AppStore} store */
function closeWithCall(store) {
  return store.subscribe((s) => s.view, (view) => {
    if (view !== 'room') closeOpen?.();
  });
}

/** A video that always shows who would be large on the stage. @param {App} app @param {Cleanup} cleanup */
function followed({ store, local, call }, cleanup) {
  const video = h('video', { autoplay: true, playsinline: true, data: { testid: 'pip-video' } });
  video.muted = true;
  const name = h('bdi', { class: 'pip-name', data: { testid: 'pip-name' } });
  const follow = () => {
    const tile = spotlit(store.get());
    const { video: stream } = streamsOf(tile, local, call);
    const shown = tile.picture ? stream : null;
    if (video.srcObject !== shown) video.srcObject = shown;
    name.textContent = tile.kind === 'screen' ? strings.room.screenOf(tile.name) : tile.name;
  };
  for (const part of /** @type {const} */ (['peers', 'speaker', 'pinned', 'media'])) cleanup.add(store.subscribe((s) => s[part], follow));
  cleanup.add(call.onMedia(follow));
  cleanup.add(() => (video.srcObject = null));
  return { video, name };
}

/** @param {Readonly<State>} state */
function spotlit(state) {
  const tiles = allTiles(state);
  const { large } = arrange(tiles, { layout: 'speaker', pinned: state.pinned, speaker: state.speaker });
  const tile = tiles.find((one) => one.id === large[0]) ?? tiles[0];
  if (!tile) throw new Error('we are always on the stage ourselves');
  return tile;
}
