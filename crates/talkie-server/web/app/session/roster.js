/**
 * Who is in the room, and which link belongs to whom. The server's ids change whenever somebody has to
 * join again (its own socket was away too long, or the server restarted) while the call itself goes on
 * between the browsers. So a link that still carries media is not closed because its id is gone: the
 * peer announces its new id over the link ("moved"), and the link is bound to that.
 * @module
 */
import { distinctName } from '../names.js';
import { Link } from '../peer/link.js';

/** @import {LinkContext} from '../peer/link.js' */
/** @import {Peer} from './membership.js' */

/** How long to wait for a "moved" before taking somebody for a newcomer. */
const MOVED_WITHIN_MS = 2500;
/** How long a link whose peer the server has lost may be without media. */
const ORPHAN_GRACE_MS = 15_000;

export class Roster {
  /** @type {Set<Link>} */ #links = new Set();
  /** @type {Map<string, Peer>} */ #present = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */ #waiting = new Map();
  /** @type {string|null} */ #self = null;

  /**
   * @param {LinkContext} context
   * @param {{added: (link: Link) => void, removed: (link: Link) => void, renamed: (link: Link) => void, tampered: (link: Link) => void}} events
   */
  constructor(context, events) {
    this.context = context;
    this.events = events;
  }

  get links() {
    return [...this.#links];
  }

  /** We are in, for the first time or again. @param {string} self @param {Peer[]} peers those that were there before us */
  joined(self, peers) {
    this.#self = self;
    this.#present = new Map(peers.map((peer) => [peer.id, peer]));
    this.#clearWaiting();
    for (const link of this.links) {
      if (this.#present.has(link.id)) link.resend();
      else if (!link.connected) this.#remove(link);
      link.tell({ type: 'moved', id: self });
    }
    for (const peer of peers) {
      // Whoever is not trusted is not called; `tampered` says what becomes of it.
      if (this.#byId(peer.id) || !peer.trusted) continue;
      const moved = this.links.find((link) => link.announced === peer.id);
      if (moved) this.#rebind(moved, peer);
      else if (this.#orphans().length === 0) this.#call(peer);
      else this.#waiting.set(peer.id, setTimeout(() => this.#call(peer), MOVED_WITHIN_MS));
    }
    for (const orphan of this.#orphans()) this.#watchOrphan(orphan);
  }

  /** @param {Peer} peer */
  came(peer) {
    this.#present.set(peer.id, peer);
    if (!peer.trusted) return;
    const moved = this.links.find((link) => link.announced === peer.id);
    if (moved) this.#rebind(moved, peer);
    // Its offer will come; an orphan may turn out to be the same peer, so no tile before that.
    else if (this.#orphans().length === 0) this.#add(peer, false);
  }

  /** @param {string} id @param {string} reason */
  went(id, reason) {
    this.#present.delete(id);
    this.#stopWaiting(id);
    const link = this.#byId(id);
    if (!link) return;
    // `lost` and `ended` are the server's view only; while media flows, the peer is there and will join again.
    if (reason !== 'left' && link.connected) this.#watchOrphan(link);
    else this.#remove(link);
  }

  /** The control channel of a link opened: it may have to learn who we are now. @param {Link} link */
  introduced(link) {
    if (this.#self) link.tell({ type: 'moved', id: this.#self });
  }

  /** The peer at the other end of this link says which id it has. @param {Link} link @param {string} id */
  moved(link, id) {
    if (link.id === id) return;
    const peer = this.#present.get(id);
    // Nobody talks somebody else out of the room by saying to be them.
    if (peer && (!peer.trusted || this.#byId(id)?.connected)) return;
    if (peer) this.#rebind(link, peer);
    else link.announced = id;
  }

  /** What comes from this peer is not what it sent. @param {string} id */
  tampered(id) {
    const peer = this.#present.get(id);
    if (!peer) return;
    this.#stopWaiting(id);
    const link = this.#byId(id) ?? this.#add(peer, false);
    link.refuse();
    this.events.tampered(link);
  }

  /** @param {string} from @param {any} payload */
  signal(from, payload) {
    const peer = this.#present.get(from);
    if (!peer) return;
    const tag = payload?.link;
    const known = this.#byId(from);
    // Only the two ends of a link know its tag: same link, new id.
    const same = typeof tag === 'string' && tag !== '' ? this.links.find((link) => link.tag === tag && !link.closed) : undefined;
    if (same && same !== known) this.#rebind(same, peer);
    const link = same ?? known;
    // One that was cut off stays so, whatever it calls for.
    if (link?.closed) return;
    // While it was away we gave up our end of what it still holds on to: it has to start anew, with us.
    if (isLeftOver(link, payload)) {
      if (link) this.#remove(link);
      this.#stopWaiting(from);
      return this.#call(peer);
    }
    if (link && !this.#isNewCall(link, payload)) return link.receive(payload);
    if (payload?.description?.type !== 'offer') return;
    if (link) this.#remove(link);
    this.#stopWaiting(from);
    this.#add(peer, false).receive(payload);
  }

  /** Its connection is beyond repair: the peer is called anew. @param {Link} link */
  replace(link) {
    const peer = this.#present.get(link.id);
    // Who is not in the room cannot be called; if it comes back, it calls.
    if (!peer || !this.#links.has(link)) return;
    this.#remove(link);
    this.#call(peer, link.policy.attempts);
  }

  clear() {
    this.#clearWaiting();
    for (const link of this.links) this.#remove(link);
    this.#present.clear();
  }

  /** The peer has given its end of the link up and calls anew. @param {Link} link @param {any} payload */
  #isNewCall(link, payload) {
    const tag = payload?.link;
    return payload?.description?.type === 'offer' && link.pc !== null && typeof tag === 'string' && tag !== link.tag;
  }

  /** @param {string} id */
  #byId(id) {
    return this.links.find((link) => link.id === id);
  }

  #orphans() {
    return this.links.filter((link) => !this.#present.has(link.id));
  }

  /** @param {Peer} peer @param {number} [attempts] in vain so far */
  #call(peer, attempts) {
    this.#waiting.delete(peer.id);
    this.#add(peer, true, attempts).start();
  }

  /** @param {Peer} peer @param {boolean} polite @param {number} [attempts] */
  #add(peer, polite, attempts) {
    const link = new Link({ ...peer, name: this.#nameFor(peer.name), polite, attempts }, this.context);
    this.#links.add(link);
    this.events.added(link);
    return link;
  }

  /** Nobody in the room is to be taken for somebody else. @param {string} name @param {Link} [own] whose it is */
  #nameFor(name, own) {
    return distinctName(name, this.links.filter((link) => link !== own).map((link) => link.name));
  }

  /** @param {Link} link */
  #remove(link) {
    if (!this.#links.delete(link)) return;
    link.close();
    this.events.removed(link);
  }

  /** @param {Link} link @param {Peer} peer */
  #rebind(link, peer) {
    this.#stopWaiting(peer.id);
    const stillborn = this.#byId(peer.id);
    if (stillborn && stillborn !== link) this.#remove(stillborn);
    link.rebind(peer.id, this.#nameFor(peer.name, link));
    this.events.renamed(link);
  }

  /** @param {Link} link */
  #watchOrphan(link) {
    let silentSince = 0;
    const timer = setInterval(() => {
      if (link.closed || this.#present.has(link.id)) return clearInterval(timer);
      if (link.connected) silentSince = 0;
      else if (silentSince === 0) silentSince = performance.now();
      else if (performance.now() - silentSince > ORPHAN_GRACE_MS) {
        clearInterval(timer);
        this.#remove(link);
      }
    }, 1000);
  }

  /** @param {string} id */
  #stopWaiting(id) {
    clearTimeout(this.#waiting.get(id));
    this.#waiting.delete(id);
  }

  #clearWaiting() {
    for (const id of [...this.#waiting.keys()]) this.#stopWaiting(id);
  }
}

/**
 * Whether this speaks of a connection that is older than our end, which has not begun.
 * @param {Link|undefined} link
 * @param {any} payload
 */
function isLeftOver(link, payload) {
  if (link && (link.pc !== null || link.polite)) return false;
  return payload?.again === true || payload?.restart === true || payload?.negotiate === true;
}
