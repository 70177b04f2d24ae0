/**
 * Which way packets take, as both ends see it: tells the other side what is seen here, hears what it
 * sees, and hands on what both agree about. The sampler (stats/sampler.js) does the looking.
 * @module
 */
import { agreed } from './badge.js';

/** @import {PeerPath} from '../types.js' */
/** @import {Reason, ReasonCode} from '../stats/reasons.js' */
/** @import {Link} from './link.js' */
/** @import {PathMessage} from './messages/path.js' */

/** A host whose candidate is still under way looks peer-reflexive, as one behind a NAT does. */
const NAT_AFTER_MS = 1500;

/** @typedef {{ours: PeerPath|null, told: string, theirs: Pick<PeerPath, 'kind'|'via'>|null, why: ReasonCode[]|null, since: number}} Paths */

export class PathMonitor {
  /** @type {Map<Link, Paths>} */ #paths = new Map();

  on = {
    /** @param {Link} link @param {PathMessage} message */
    path: (link, { kind, via, why }) => {
      const paths = this.#of(link);
      paths.theirs = { kind, via };
      paths.why = why;
      this.changed(link, agreed(paths.ours, paths.theirs));
    },
  };

  /**
   * @param {(link: Link, path: PeerPath|null) => void} changed
   * @param {(link: Link) => Reason[]} reasons what on our side stands against a shorter way
   */
  constructor(changed, reasons) {
    this.changed = changed;
    this.reasons = reasons;
  }

  /** @param {Link} link */
  removed(link) {
    this.#paths.delete(link);
  }

  /** A channel that just opened has not heard what we told before. @param {Link} link */
  opened(link) {
    this.#of(link).told = '';
  }

  /** What the other side says stands in the way; null: it has not told. @param {Link} link */
  theirReasons(link) {
    return this.#paths.get(link)?.why ?? null;
  }

  /** @param {Link} link @param {PeerPath|null} ours as just seen */
  observe(link, ours) {
    const paths = this.#of(link);
    if (ours?.kind === 'nat' && performance.now() - paths.since < NAT_AFTER_MS) return;
    if (ours) this.#tell(link, paths, ours);
    paths.ours = ours;
    this.changed(link, agreed(ours, paths.theirs));
  }

  /** @param {Link} link @param {Paths} paths @param {PeerPath} ours */
  #tell(link, paths, { kind, via }) {
    const why = this.reasons(link).map(({ code }) => code);
    const told = `${kind} ${via} ${why.join()}`;
    if (told !== paths.told && link.tell({ type: 'path', kind, via, why })) paths.told = told;
  }

  /** @param {Link} link */
  #of(link) {
    let paths = this.#paths.get(link);
    if (!paths) this.#paths.set(link, (paths = { ours: null, told: '', theirs: null, why: null, since: performance.now() }));
    return paths;
  }
}
