/**
 * Sharing the screen, a window or a tab, with its sound where the browser offers it.
 * @module
 */

/**
 * @returns {Promise<{screen: MediaStreamTrack, screenAudio: MediaStreamTrack|null}>}
 */
export async function captureScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    audio: true,
  });
  const [screen] = stream.getVideoTracks();
  if (!screen) throw new DOMException('no video in the capture', 'NotFoundError');
  // Text must stay sharp; fewer frames are the lesser evil.
  screen.contentHint = 'detail';
  return { screen, screenAudio: stream.getAudioTracks()[0] ?? null };
}

export function canShareScreen() {
  return isSecureContext && typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}
