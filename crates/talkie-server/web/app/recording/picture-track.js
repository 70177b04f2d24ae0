/**
 * A video track of what is on a canvas, a frame each time `frame` is called. Where pages may make frames
 * themselves (Chromium), they do, because a captured canvas stands still in a tab that is not in front.
 * @module
 */

/** @typedef {{track: MediaStreamTrack, frame: () => void, stop: () => void}} PictureTrack */

/** @param {HTMLCanvasElement} canvas @returns {PictureTrack} */
export function pictureTrack(canvas) {
  return 'MediaStreamTrackGenerator' in globalThis && 'VideoFrame' in globalThis ? generated(canvas) : captured(canvas);
}

/** @param {HTMLCanvasElement} canvas @returns {PictureTrack} */
function generated(canvas) {
  const track = new /** @type {any} */ (globalThis).MediaStreamTrackGenerator({ kind: 'video' });
  /** @type {WritableStreamDefaultWriter<VideoFrame>} */
  const writer = track.writable.getWriter();
  return {
    track,
    frame() {
      // A recorder that is behind gets fewer pictures rather than a queue of them.
      if ((writer.desiredSize ?? 1) <= 0) return;
      const frame = new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000) });
      writer.write(frame).catch(() => frame.close());
    },
    stop() {
      void writer.close().catch(() => {});
      track.stop();
    },
  };
}

/** @param {HTMLCanvasElement} canvas @returns {PictureTrack} */
function captured(canvas) {
  const stream = canvas.captureStream(0);
  const [track] = stream.getVideoTracks();
  if (!track) throw new Error('the canvas gives no track');
  // Firefox asks its stream for a frame, not the track.
  const asked = /** @type {CanvasCaptureMediaStreamTrack} */ ('requestFrame' in track ? track : stream);
  return { track, frame: () => asked.requestFrame(), stop: () => track.stop() };
}
