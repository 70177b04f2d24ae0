/**
 * Tells the others what we have switched on, and shows what they say of themselves.
 * @module
 */
import { patchPeer } from '../state.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {PresenceMessage} from '../peer/messages/presence.js' */

export class Presence {
  on = {
    /** @param {Link} link @param {PresenceMessage} message */
    state: (link, { mic, camera, screen }) => patchPeer(this.context.store, link.key, { mic, camera, screen }),
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  opened(link) {
    link.tell(this.#state());
  }

  /** Something of ours went on or off. */
  changed() {
    for (const link of this.context.links()) link.tell(this.#state());
  }

  /** @returns {PresenceMessage} */
  #state() {
    const { mic, camera, screen } = this.context.local.view;
    return { type: 'state', mic: mic === 'on', camera: camera === 'on', screen };
  }
}
