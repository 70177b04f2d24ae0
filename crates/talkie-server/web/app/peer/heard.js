/**
 * The peer's candidates on their way into the connection; the way of ours is gathered.js.
 * @module
 */

/** More at once is no browser's doing. */
const MOST = 64;

/**
 * @param {unknown} candidates as the peer sent them
 * @param {{pc: RTCPeerConnection|null, trace: import('./trace.js').Trace, moot: () => boolean}} link `moot`: whether it matters no longer
 */
export async function addCandidates(candidates, { pc, trace, moot }) {
  if (!Array.isArray(candidates)) return;
  for (const candidate of candidates.slice(0, MOST)) {
    trace.heard(candidate?.candidate);
    try {
      await pc?.addIceCandidate(candidate);
    } catch (error) {
      // Those of an offer that we ignored, or of a generation that a restart has replaced.
      if (!moot()) console.debug('talkie: candidate', error);
    }
  }
}
