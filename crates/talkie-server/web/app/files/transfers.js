/**
 * All transfers of a call: starts them, keeps them when their connection goes, takes them up again when
 * it is back, and shows them in the store. A feature of the call (session/feature.js).
 * @module
 */
import { toast } from '../state.js';
import { strings } from '../strings.js';
import { greet } from './greeting.js';
import { Door } from './incoming.js';
import { Lane } from './lane.js';
import { Ledger } from './ledger.js';
import { printsOf } from './proof.js';
import { FILE_CHANNEL, RESUME_MS } from './protocol.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { lookForPlaces, openSink, placeFor } from './sinks/sink.js';
import { Source } from './source.js';
import { Wire } from './wire.js';

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {Manifest} from './manifest.js' */
/** @import {Offer} from './protocol.js' */
/** @import {Report} from './sender.js' */
/** @import {Item} from './source.js' */

/** @typedef {{id: string, transfer: Sender|Receiver, link: Link, since: number, bytes: number, timer?: ReturnType<typeof setTimeout>}} Running */

const LOOK_EVERY_MS = 1000;
/** The other side has said nothing for so long: first it is shown, then it is given up. */
const QUIET_MS = 10_000;
const GIVE_UP_MS = 10 * 60_000;
/** Offers of one peer that are announced beside each other. */
const ANNOUNCED = 3;

export class Transfers {
  /** @type {Map<string, Running>} */ #running = new Map();
  /** @type {WeakMap<Link, Lane>} */ #lanes = new WeakMap();
  /** @type {ReturnType<typeof setInterval>|undefined} */ #looking;

  /** @param {AppStore} store @param {() => Link[]} links */
  constructor(store, links) {
    this.store = store;
    this.links = links;
    this.ledger = new Ledger(store);
    this.door = new Door({
      offered: (link, offer, wire) => this.#offered(link, offer, wire),
      returned: (link, receiver, wire) => this.#returned(link, receiver, wire),
    });
  }

  /** @param {readonly Item[]} items one offer @param {Iterable<Link>} [to] everybody if not said */
  send(items, to = this.links()) {
    const ready = [...to].filter((link) => link.control?.readyState === 'open' && link.pc);
    if (items.length === 0) return;
    if (ready.length === 0) return toast(this.store, 'bad', strings.files.nobody);
    const source = new Source(items);
    for (const link of ready) {
      const { name, size, files, folder, mime, group } = source;
      const id = this.ledger.add(link, { direction: 'out', state: 'waiting', name, size, mime, folder, files, place: null, group });
      const sender = new Sender(source, (report) => this.#report(id, report));
      this.#run(id, sender, link);
      void this.#channel(link)?.then((wire) => (wire ? sender.offer(wire, this.#lane(link)) : sender.fail('lost')));
    }
  }

  /** A peer opened a channel. @param {Link} link @param {RTCDataChannel} channel */
  incoming(link, channel) {
    this.door.knock(link, channel);
  }

  /** @param {Link} link */
  opened(link) {
    for (const running of this.#running.values()) {
      if (running.transfer instanceof Sender && !running.transfer.wire && !running.transfer.over) void this.#resume(running, link);
    }
  }

  /** @param {Link} link */
  removed(link) {
    for (const { transfer, link: of } of [...this.#running.values()]) {
      if (of !== link) continue;
      // Without a channel it is interrupted already, or its channel will never open.
      if (transfer.wire) transfer.wire.lost();
      else if (!transfer.accepted) transfer.fail('lost');
    }
  }

  /** Must be called from a click. @param {string} id @param {boolean} [zip] rather than a folder */
  async accept(id, zip = false) {
    const transfer = this.#running.get(id)?.transfer;
    if (transfer instanceof Receiver) await transfer.accept((manifest) => openSink(manifest, zip));
  }

  /** @param {string} id */
  decline(id) {
    const transfer = this.#running.get(id)?.transfer;
    if (transfer instanceof Receiver) transfer.decline();
  }

  /** @param {string} id @param {boolean} paused */
  pause(id, paused) {
    this.#running.get(id)?.transfer.pause(paused);
  }

  /** @param {string} id */
  cancel(id) {
    this.#running.get(id)?.transfer.cancel();
  }

  close() {
    for (const { transfer } of [...this.#running.values()]) transfer.cancel('left');
    this.ledger.close();
  }

  /** @param {string} id @param {Sender|Receiver} transfer @param {Link} link */
  #run(id, transfer, link) {
    this.#running.set(id, { id, transfer, link, since: performance.now(), bytes: 0 });
    this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** @param {Link} link @param {Offer} offer @param {Wire} wire */
  #offered(link, offer, wire) {
    let id = '';
    const receiver = new Receiver(offer, wire, {
      offered: async (manifest) => {
        await lookForPlaces();
        if (receiver.over) return;
        id = this.#announce(link, manifest);
        this.#run(id, receiver, link);
      },
      report: (report) => id && this.#report(id, report),
    });
    return receiver;
  }

  /** @param {Link} link @param {Manifest} manifest */
  #announce(link, manifest) {
    const { name, size, mime, folder, files } = manifest;
    const id = this.ledger.add(link, { direction: 'in', state: 'offered', name, size, mime, folder, files, place: placeFor(manifest) });
    const others = this.store.get().transfers.filter((one) => one.peer === link.key && one.state === 'offered');
    if (others.length > ANNOUNCED) return id;
    const what = files.length > 1 ? strings.files.several(name, files.length) : name;
    toast(this.store, 'info', strings.files.offered(link.name || strings.room.guest, what));
    // Who is writing to somebody is not to lose the place.
    const field = document.activeElement;
    const typing = (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) && field.matches('textarea, [type="text"]') && field.value !== '';
    if (!typing && this.store.get().panel !== 'files') this.store.set({ panel: 'files' });
    return id;
  }

  /** @param {Link} link @param {Receiver} receiver @param {Wire} wire */
  #returned(link, receiver, wire) {
    const running = [...this.#running.values()].find(({ transfer }) => transfer === receiver);
    if (!running) return wire.close();
    running.link = link;
    this.ledger.moved(running.id, link);
    return void receiver.resume(wire);
  }

  /** @param {Running} running @param {Link} link */
  async #resume(running, link) {
    const { transfer } = running;
    const wire = await this.#channel(link);
    if (!wire || !(transfer instanceof Sender)) return;
    const bytes = await greet(wire, transfer, printsOf(link.pc, 'sender'));
    if (bytes === null || transfer.wire || transfer.over) return wire.close();
    running.link = link;
    this.ledger.moved(running.id, link);
    transfer.resume(wire, this.#lane(link), bytes);
  }

  /** @param {Link} link @returns {Promise<Wire|null>} */
  async #channel(link) {
    try {
      const channel = link.pc?.createDataChannel(FILE_CHANNEL);
      const wire = channel && new Wire(channel, link.pc?.sctp?.maxMessageSize);
      return wire && (await wire.opened()) ? wire : null;
    } catch {
      return null; // the connection closed meanwhile
    }
  }

  /** @param {Link} link */
  #lane(link) {
    let lane = this.#lanes.get(link);
    if (!lane) this.#lanes.set(link, (lane = new Lane()));
    return lane;
  }

  /** @param {string} id @param {Report} report */
  #report(id, report) {
    const running = this.#running.get(id);
    if (!running) return;
    if (report.bytes !== undefined || report.state !== undefined) running.since = performance.now();
    clearTimeout(report.state === undefined ? undefined : running.timer);
    if (report.state === 'interrupted') {
      running.timer = setTimeout(() => running.transfer.fail('lost'), RESUME_MS);
      // The channel alone may have gone.
      if (!running.link.closed && running.link.connected) this.#retry(running);
    }
    this.ledger.report(id, report);
    if (running.transfer.over) this.#running.delete(id);
  }

  /** @param {Running} running */
  #retry(running) {
    setTimeout(() => {
      if (running.transfer instanceof Sender && !running.transfer.wire && !running.transfer.over) void this.#resume(running, running.link);
    }, LOOK_EVERY_MS);
  }

  /** Channels whose connection went without a word, and peers that do nothing. */
  #look() {
    const now = performance.now();
    for (const { id, transfer, link, since } of [...this.#running.values()]) {
      const { wire } = transfer;
      if (wire && (!wire.open || link.pc?.connectionState === 'closed')) wire.lost();
      const view = this.ledger.find(id);
      const quiet = view?.state === 'active' && view.paused === null && now - since > QUIET_MS;
      if (view && view.stalled !== quiet) this.ledger.report(id, { stalled: quiet });
      if (quiet && now - since > GIVE_UP_MS) transfer.cancel('stalled');
    }
    if (this.#running.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
