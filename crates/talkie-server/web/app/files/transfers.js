/**
 * All transfers of a call: starts them, bounds them, and shows them in the store.
 * @module
 */
import { addTransfer, patchTransfer, toast } from '../state.js';
import { strings } from '../strings.js';
import { FILE_CHANNEL } from './protocol.js';
import { Rate } from './rate.js';
import { Receiver } from './receiver.js';
import { Sender, Source } from './sender.js';

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {TransferView} from '../types.js' */
/** @import {Report} from './sender.js' */

/** One peer may have this many offers and incoming files open. */
const INCOMING_PER_PEER = 16;
/** Figures change this often at most. */
const SHOW_EVERY_MS = 200;

let nextId = 0;

export class Transfers {
  /** @type {Map<string, Sender|Receiver>} */ #running = new Map();

  /** @param {AppStore} store */
  constructor(store) {
    this.store = store;
  }

  /** @param {Iterable<File>} files @param {Iterable<Link>} links */
  send(files, links) {
    const ready = [...links].filter((link) => link.control?.readyState === 'open' && link.pc);
    if (ready.length === 0) return toast(this.store, 'bad', strings.files.nobody);
    for (const file of files) {
      const source = new Source(file);
      for (const link of ready) {
        const channel = link.pc?.createDataChannel(FILE_CHANNEL);
        if (!channel) continue;
        const id = this.#show(link, { direction: 'out', group: source.group, name: file.name, size: file.size, state: 'waiting' });
        this.#running.set(id, new Sender(source, channel, this.#reporter(id)));
      }
    }
  }

  /** A peer opened a channel. @param {Link} link @param {RTCDataChannel} channel */
  incoming(link, channel) {
    const open = this.store.get().transfers.filter((t) => t.peer === link.key && t.direction === 'in' && isOpen(t));
    if (channel.label !== FILE_CHANNEL || open.length >= INCOMING_PER_PEER) return channel.close();
    /** @type {(report: Report) => void} */
    let report = () => {};
    const receiver = new Receiver(channel, {
      offered: (offer) => {
        const { name, size } = offer;
        const id = this.#show(link, { direction: 'in', group: '', name, size, state: 'offered' });
        this.#running.set(id, receiver);
        report = this.#reporter(id);
        toast(this.store, 'info', strings.files.offered(link.name || strings.room.guest, name));
        if (this.store.get().panel !== 'files') this.store.set({ panel: 'files' });
        return true;
      },
      report: (said) => report(said),
    });
  }

  /** @param {string} id */
  async accept(id) {
    const transfer = this.#running.get(id);
    if (transfer instanceof Receiver) await transfer.accept();
  }

  /** @param {string} id */
  decline(id) {
    const transfer = this.#running.get(id);
    if (transfer instanceof Receiver) transfer.decline();
  }

  /** @param {string} id */
  cancel(id) {
    this.#running.get(id)?.cancel();
  }

  close() {
    for (const transfer of [...this.#running.values()]) transfer.cancel();
    for (const { url } of this.store.get().transfers) if (url) URL.revokeObjectURL(url);
  }

  /**
   * @param {Link} link
   * @param {Pick<TransferView, 'direction'|'group'|'name'|'size'|'state'>} what
   */
  #show(link, what) {
    const id = `t${++nextId}`;
    const peer = { peer: link.key, peerName: link.name };
    addTransfer(this.store, { bytes: 0, rate: 0, verified: null, reason: null, url: null, ...peer, ...what, id, group: what.group || id });
    return id;
  }

  /** @param {string} id @returns {(report: Report) => void} */
  #reporter(id) {
    const rate = new Rate();
    let shownAt = 0;
    return (report) => {
      const now = performance.now();
      if (report.bytes !== undefined) rate.add(now, report.bytes);
      if (report.state === undefined && now - shownAt < SHOW_EVERY_MS) return;
      shownAt = now;
      patchTransfer(this.store, id, { ...report, rate: rate.perSecond });
      const shown = this.store.get().transfers.find((t) => t.id === id);
      if (!shown || isOpen(shown)) return;
      this.#running.delete(id);
      if (shown.state === 'done' && shown.direction === 'in') toast(this.store, 'good', strings.files.received(shown.name));
    };
  }
}

/** @param {TransferView} transfer */
export function isOpen({ state }) {
  return state === 'offered' || state === 'waiting' || state === 'active';
}
