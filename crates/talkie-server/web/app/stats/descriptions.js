/**
 * Hands the descriptions of the call to a page of ours that explains them (/sdp in another tab): it asks
 * on a channel that only pages of this origin hear. Candidates and fingerprints are in them, so nobody
 * else is told.
 * @module
 */

/** @import {CallContext} from '../session/feature.js' */

export const DESCRIPTIONS_CHANNEL = 'talkie-sdp';

/** @param {RTCSessionDescription|null|undefined} description */
const plain = (description) => (description ? { type: description.type, sdp: description.sdp } : null);

export class Descriptions {
  #channel;

  /** @param {CallContext} context */
  constructor(context) {
    this.#channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(DESCRIPTIONS_CHANNEL) : null;
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }) => {
      if (data?.type !== 'ask') return;
      // The one that is looked at comes first.
      const { watched } = context.store.get();
      const links = context.links().toSorted((a, b) => Number(b.key === watched) - Number(a.key === watched));
      const peers = links.map(({ name, pc }) => ({ name, local: plain(pc?.localDescription), remote: plain(pc?.remoteDescription) }));
      this.#channel?.postMessage({ type: 'descriptions', peers: peers.filter((peer) => peer.local && peer.remote) });
    };
  }

  close() {
    this.#channel?.close();
  }
}
