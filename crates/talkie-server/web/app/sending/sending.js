/**
 * What goes out to whom, and how: shares the uplink among the peers (allocate.js), sets it on every
 * sender and sets it again whenever peers, tracks, preferences or an agreement change; puts the codec
 * that somebody prefers first.
 * @module
 */
import { preferences } from '../preferences.js';
import { allocate } from './allocate.js';
import { preferred } from './codecs.js';
import { hand } from './parameters.js';

/** @import {CallContext} from '../session/feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {Slot} from '../types.js' */
/** @import {CodecChoice} from './codecs.js' */

/** Events come in bunches: a newcomer is a peer, four slots and an agreement. */
const TOGETHER_MS = 60;
const PICTURES = /** @type {const} */ (['camera', 'screen']);

export class Sending {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  /** @type {(() => void)[]} */ #undo = [];
  /** @type {CodecChoice} */ #codec = preferences.get().videoCodec;

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
    const soon = () => this.#soon();
    this.#undo.push(
      context.local.onTrack(soon),
      preferences.subscribe((p) => `${p.maxBitrate} ${p.maxHeight} ${p.degradation}`, soon),
      preferences.subscribe((p) => p.videoCodec, (codec) => this.#prefer(codec)),
    );
  }

  /** @param {Link} link */
  slots(link) {
    putFirst(link, this.#codec);
    this.#soon();
  }

  negotiated() {
    this.#soon();
  }

  removed() {
    this.#soon();
  }

  close() {
    clearTimeout(this.#timer);
    for (const undo of this.#undo.splice(0)) undo();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#share();
    }, TOGETHER_MS);
  }

  #share() {
    const links = this.context.links().filter((link) => !link.closed);
    const { maxBitrate, maxHeight, degradation } = preferences.get();
    const { tracks } = this.context.local;
    const shares = allocate({
      peers: links.length, budget: maxBitrate * 1000, maxHeight, screen: tracks.has('screen'), screenAudio: tracks.has('screenAudio'),
    });
    for (const link of links) {
      for (const [slot, { sender }] of link.slots) {
        // A screen's own content hint says what to give up first.
        void hand(sender, shares[slot], slot === 'camera' ? /** @type {RTCDegradationPreference} */ (degradation) : undefined);
      }
    }
  }

  /** @param {CodecChoice} codec */
  #prefer(codec) {
    if (codec === this.#codec) return;
    this.#codec = codec;
    for (const link of this.context.links()) if (putFirst(link, codec)) link.renegotiate();
  }
}

/** @param {Link} link @param {CodecChoice} codec @returns {boolean} whether there is anything to agree about */
function putFirst(link, codec) {
  const list = preferred(RTCRtpReceiver.getCapabilities('video')?.codecs ?? [], codec);
  const pictures = PICTURES.map((slot) => link.slots.get(/** @type {Slot} */ (slot))).filter((slot) => slot !== undefined);
  for (const transceiver of pictures) {
    try {
      transceiver.setCodecPreferences?.(list);
    } catch (error) {
      // A browser that knows a codec for one direction only: the others keep their order.
      console.debug('talkie: codec preference', error);
    }
  }
  return pictures.length > 0;
}
