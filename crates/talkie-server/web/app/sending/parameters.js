/**
 * Hands a share to a sender. Browsers differ in what they take and when: before the first negotiation a
 * sender may have no encoding yet, Firefox knows no networkPriority, and parameters that were read go
 * stale with the next negotiation. So nothing is set that is so already, one change at a time is under
 * way per sender, and a refusal is no error: the next occasion sets it again.
 * @module
 */
import { scaleFor } from './allocate.js';

/** @import {Share} from './allocate.js' */

/** @type {WeakMap<RTCRtpSender, Promise<void>>} */
const underWay = new WeakMap();

/**
 * @param {RTCRtpSender} sender
 * @param {Share} share
 * @param {RTCDegradationPreference} [degradation]
 * @returns {Promise<void>}
 */
export function hand(sender, share, degradation) {
  const next = (underWay.get(sender) ?? Promise.resolve()).then(() => set(sender, share, degradation)).catch((error) => {
    console.debug('talkie: sender parameters', error);
  });
  underWay.set(sender, next);
  return next;
}

/** @param {RTCRtpSender} sender @param {Share} share @param {RTCDegradationPreference} [degradation] */
async function set(sender, share, degradation) {
  if (sender.transport?.state === 'closed') return;
  const parameters = /** @type {RTCRtpSendParameters & {degradationPreference?: string}} */ (sender.getParameters());
  const [encoding] = parameters.encodings ?? [];
  if (!encoding) return;
  const wanted = encodingFor(sender.track, share);
  const now = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (encoding));
  const same = Object.entries(wanted).every(([name, value]) => now[name] === value);
  if (same && (!degradation || parameters.degradationPreference === degradation)) return;
  Object.assign(encoding, wanted);
  if (degradation) parameters.degradationPreference = degradation;
  await sender.setParameters(parameters);
}

/** @param {MediaStreamTrack|null} track @param {Share} share */
function encodingFor(track, { active, maxBitrate, maxFramerate, lines, priority }) {
  return {
    active, maxBitrate, priority,
    ...(maxFramerate && { maxFramerate }),
    ...(lines && { scaleResolutionDownBy: scaleFor(track?.getSettings() ?? {}, lines) }),
  };
}
