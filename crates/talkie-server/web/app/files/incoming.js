/**
 * Channels that peers open: what their first message says, and how much of it one peer may do. Whoever
 * asks for more is told that we are busy, and nobody else notices.
 * @module
 */
import { answer } from './greeting.js';
import { printsOf } from './proof.js';
import { FILE_CHANNEL, FILES_LIMIT } from './protocol.js';
import { Wire } from './wire.js';

/** @import {Link} from '../peer/link.js' */
/** @import {FileMessage, Offer} from './protocol.js' */
/** @import {Receiver} from './receiver.js' */

/** Channels of one peer that have not said yet what they are for. */
const SILENT_LIMIT = 24;
const SILENT_MS = 30_000;
/** Offers of one peer that are open, and the files in all of them. */
const OFFERS_LIMIT = 16;
const LISTED_LIMIT = 2 * FILES_LIMIT;
/** One peer may make so many offers at once, and one more every three seconds. */
const OFFER_BURST = 20;
const OFFER_EVERY_MS = 3000;

/**
 * @typedef {object} Hall
 * @property {(link: Link, offer: Offer, wire: Wire) => Receiver} offered
 * @property {(link: Link, receiver: Receiver, wire: Wire) => void} returned
 */

export class Door {
  /** @type {WeakMap<Link, {silent: number, tokens: number, at: number}>} */ #guests = new WeakMap();
  /** @type {Map<Receiver, Link>} */ #receivers = new Map();

  /** @param {Hall} hall */
  constructor(hall) {
    this.hall = hall;
  }

  /** @param {Link} link @param {RTCDataChannel} channel */
  knock(link, channel) {
    const guest = this.#guest(link);
    if (channel.label !== FILE_CHANNEL || guest.silent >= SILENT_LIMIT) return channel.close();
    const wire = new Wire(channel);
    guest.silent += 1;
    const timer = setTimeout(() => wire.lost(), SILENT_MS);
    const heard = () => {
      clearTimeout(timer);
      guest.silent -= 1;
      wire.listen(null);
    };
    const wrong = () => (heard(), wire.close());
    wire.listen({ message: (message) => (heard(), this.#first(link, wire, message)), chunk: wrong, garbage: wrong, closed: heard });
  }

  /** @param {Link} link @param {Wire} wire @param {FileMessage} message */
  #first(link, wire, message) {
    if (message.type === 'again') return void this.#again(link, wire, message);
    if (message.type !== 'offer') return wire.close();
    if (!this.#admit(link) || !this.#fits(link, message) || this.#find(message.id)) {
      wire.tell({ type: 'cancel', reason: 'busy' });
      return wire.close();
    }
    this.#receivers.set(this.hall.offered(link, message, wire), link);
  }

  /** @param {Link} link @param {Offer} offer */
  #fits(link, { count }) {
    for (const receiver of this.#receivers.keys()) if (receiver.over) this.#receivers.delete(receiver);
    const open = [...this.#receivers].filter(([, of]) => of === link).map(([receiver]) => receiver.offer.count);
    return open.length < OFFERS_LIMIT && open.reduce((sum, files) => sum + files, Math.min(count, FILES_LIMIT)) <= LISTED_LIMIT;
  }

  /** @param {string} id */
  #find(id) {
    return [...this.#receivers.keys()].find(({ offer, over }) => offer.id === id && !over);
  }

  /** @param {Link} link @param {Wire} wire @param {Extract<FileMessage, {type: 'again'}>} message */
  async #again(link, wire, { id, nonce }) {
    const receiver = this.#find(id);
    if (!receiver?.accepted) {
      wire.tell({ type: 'cancel', reason: 'unknown' });
      return wire.close();
    }
    if (!(await answer(wire, receiver.offer, nonce, printsOf(link.pc, 'receiver')))) return wire.close();
    this.#receivers.set(receiver, link);
    this.hall.returned(link, receiver, wire);
  }

  /** @param {Link} link */
  #admit(link) {
    const guest = this.#guest(link);
    const now = performance.now();
    guest.tokens = Math.min(OFFER_BURST, guest.tokens + (now - guest.at) / OFFER_EVERY_MS);
    guest.at = now;
    if (guest.tokens < 1) return false;
    guest.tokens -= 1;
    return true;
  }

  /** @param {Link} link */
  #guest(link) {
    let guest = this.#guests.get(link);
    if (!guest) this.#guests.set(link, (guest = { silent: 0, tokens: OFFER_BURST, at: performance.now() }));
    return guest;
  }
}
