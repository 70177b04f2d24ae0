/**
 * Which stream a tile shows and which it plays.
 * @module
 */

/** @import {Link} from '../../peer/link.js' */
/** @import {LocalMedia} from '../../media/local.js' */
/** @import {Slot} from '../../types.js' */

/** Own streams are made once per track: a new MediaStream at each drawing would restart the video. */
const ownStreams = /** @type {WeakMap<MediaStreamTrack, MediaStream>} */ (new WeakMap());

/**
 * @param {{self: boolean, kind: 'camera'|'screen', peer: string}} tile
 * @param {LocalMedia} local
 * @param {{link: (key: string) => Link|null}} call
 * @returns {{video: MediaStream|null, audio: MediaStream|null}}
 */
export function streamsOf(tile, local, call) {
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
