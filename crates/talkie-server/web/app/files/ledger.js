/**
 * What the page shows of the transfers: their rows in the store, with figures that can be read, and no
 * more of them than somebody can look through.
 * @module
 */
import { addTransfer, patchTransfer, toast } from '../state.js';
import { strings } from '../strings.js';
import { Extents } from './manifest.js';
import { Rate } from './rate.js';
import { archiveName } from './sinks/sink.js';

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {TransferView} from '../types.js' */
/** @import {Entry} from './manifest.js' */
/** @import {Report} from './sender.js' */

/** Figures change this often at most. */
const SHOW_EVERY_MS = 200;
/** Rows that are over go when there are more; so many names of an offer are shown. */
const ROWS_LIMIT = 100;
const NAMES_LIMIT = 100;

let nextId = 0;

export class Ledger {
  /** @type {Map<string, {rate: Rate, shownAt: number, extents: Extents, files: readonly Entry[]}>} */ #figures = new Map();

  /** @param {AppStore} store */
  constructor(store) {
    this.store = store;
  }

  /** @param {string} id */
  find(id) {
    return this.store.get().transfers.find((transfer) => transfer.id === id);
  }

  /**
   * @param {Link} link
   * @param {Pick<TransferView, 'direction'|'state'|'name'|'size'|'mime'|'folder'|'place'> & {files: readonly Entry[], group?: string}} what
   * @returns {string}
   */
  add(link, { files, group, ...what }) {
    const id = `t${++nextId}`;
    this.#figures.set(id, { rate: new Rate(), shownAt: 0, extents: new Extents(files), files });
    this.#forget();
    addTransfer(this.store, {
      ...{ id, group: group ?? id, peer: link.key, peerName: link.name, count: files.length, files: files.slice(0, NAMES_LIMIT) },
      ...{ bytes: 0, rate: 0, verified: null, reason: null, url: null, paused: null, stalled: false, current: 0, currentName: '' },
      saveAs: what.folder || files.length > 1 ? archiveName(what) : what.name,
      ...what,
    });
    return id;
  }

  /** Its peer is reached by another link now. @param {string} id @param {Link} link */
  moved(id, link) {
    patchTransfer(this.store, id, { peer: link.key, peerName: link.name });
  }

  /** @param {string} id @param {Report & {stalled?: boolean}} report */
  report(id, report) {
    const figures = this.#figures.get(id);
    if (!figures) return;
    const now = performance.now();
    if (report.state === 'active' || report.paused !== undefined) figures.rate = new Rate();
    if (report.bytes !== undefined) figures.rate.add(now, report.bytes);
    const minor = report.state === undefined && report.paused === undefined && report.stalled === undefined;
    if (minor && now - figures.shownAt < SHOW_EVERY_MS) return;
    figures.shownAt = now;
    const place = report.bytes === undefined ? {} : whereIn(figures, report.bytes);
    patchTransfer(this.store, id, { stalled: false, ...report, ...place, rate: figures.rate.perSecond });
    const shown = this.find(id);
    if (!shown || isOpen(shown)) return;
    this.#figures.delete(id);
    if (shown.state === 'done' && shown.direction === 'in') toast(this.store, 'good', strings.files.received(shown.name));
  }

  close() {
    for (const { url } of this.store.get().transfers) if (url) URL.revokeObjectURL(url);
  }

  #forget() {
    const all = this.store.get().transfers;
    if (all.length < ROWS_LIMIT) return;
    const oldest = all.find((transfer) => !isOpen(transfer));
    if (!oldest) return;
    if (oldest.url) URL.revokeObjectURL(oldest.url);
    this.store.set({ transfers: all.filter((transfer) => transfer !== oldest) });
  }
}

/** @param {{extents: Extents, files: readonly Entry[]}} figures @param {number} bytes */
function whereIn({ extents, files }, bytes) {
  const current = Math.min(extents.at(bytes), files.length - 1);
  return { current, currentName: files[current]?.path ?? '' };
}

/** @param {Pick<TransferView, 'state'>} transfer */
export function isOpen({ state }) {
  return state === 'offered' || state === 'waiting' || state === 'active' || state === 'interrupted';
}
