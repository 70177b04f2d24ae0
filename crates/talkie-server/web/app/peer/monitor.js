/**
 * Asks each link every two seconds how its packets go, tells the other side, and hands on what both
 * agree about.
 * @module
 */
import { agreed, readPath } from './badge.js';

/** @import {PeerPath} from '../types.js' */
/** @import {Link} from './link.js' */
/** @import {PathMessage} from './messages/path.js' */

const EVERY_MS = 2000;
/** A host whose candidate is still under way looks peer-reflexive, as one behind a NAT does. */
const NAT_AFTER_MS = 1500;

export class PathMonitor {
  /** @type {Map<Link, {ours: PeerPath|null, theirs: Pick<PeerPath, 'kind'|'via'>|null, since: number}>} */
  #paths = new Map();
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;

  on = {
    /** @param {Link} link @param {PathMessage} message */
    path: (link, { kind, via }) => {
      const paths = this.#of(link);
      paths.theirs = { kind, via };
      this.changed(link, agreed(paths.ours, paths.theirs));
    },
  };

  /**
   * @param {() => Iterable<Link>} links
   * @param {(link: Link, path: PeerPath|null) => void} changed
   */
  constructor(links, changed) {
    this.links = links;
    this.changed = changed;
  }

  start() {
    this.#timer ??= setInterval(() => this.#pollAll(), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param {Link} link */
  removed(link) {
    this.#paths.delete(link);
  }

  /** @param {Link} link */
  connected(link) {
    void this.poll(link);
  }

  /** @param {Link} link */
  async poll(link) {
    const report = await link.pc?.getStats().catch(() => null);
    if (!report || link.closed) return;
    /** @type {any[]} */
    const entries = [];
    report.forEach((entry) => entries.push(entry));
    const ours = readPath(entries);
    const paths = this.#of(link);
    if (ours?.kind === 'nat' && performance.now() - paths.since < NAT_AFTER_MS) return;
    if (ours && (ours.kind !== paths.ours?.kind || ours.via !== paths.ours?.via)) {
      link.tell({ type: 'path', kind: ours.kind, via: ours.via });
    }
    paths.ours = ours;
    this.changed(link, agreed(ours, paths.theirs));
  }

  /** A channel that just opened has not heard what we told before. @param {Link} link */
  opened(link) {
    this.#of(link).ours = null;
    void this.poll(link);
  }

  #pollAll() {
    for (const link of this.links()) if (link.connected) void this.poll(link);
  }

  /** @param {Link} link */
  #of(link) {
    let paths = this.#paths.get(link);
    if (!paths) this.#paths.set(link, (paths = { ours: null, theirs: null, since: performance.now() }));
    return paths;
  }
}
