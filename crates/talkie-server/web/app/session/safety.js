/**
 * Finds the safety number with each peer, over the control channel, once for each connection (and again
 * should its certificates ever be others). Anything out of its turn ends the run without a number.
 * @module
 */
import { patchPeer } from '../state.js';
import { base64url, fromBase64url } from '../trust/bytes.js';
import { loadCrypto } from '../trust/crypto.js';
import { freshNonce } from '../trust/room-keys.js';
import { commitmentTo, fingerprintsOf, keeps, safetyNumber } from '../trust/safety.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {Bytes} from '../trust/bytes.js' */
/** @import {SafetyMessage, SafetyStep} from '../peer/messages/safety.js' */

/**
 * @typedef {object} Run
 * @property {SafetyStep|'done'|'failed'} awaits the message that is to come next
 * @property {Bytes} own our value
 * @property {Bytes|null} commitment the other's, when it commits
 * @property {string[]|null} fingerprints that the number is about, once there is one
 */

export class Safety {
  /** @type {Map<Link, Run>} */ #runs = new Map();
  /** @type {Map<Link, Promise<void>>} hashing takes its time; messages wait for each other */ #turns = new Map();

  on = {
    /** @param {Link} link @param {SafetyMessage} message */
    'safety-commit': (link, message) => this.#receive(link, message),
    /** @param {Link} link @param {SafetyMessage} message */
    'safety-value': (link, message) => this.#receive(link, message),
    /** @param {Link} link @param {SafetyMessage} message */
    'safety-reveal': (link, message) => this.#receive(link, message),
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  opened(link) {
    if (!this.#runs.has(link)) this.#begin(link);
  }

  /** Connected again: is it still about the same certificates? @param {Link} link */
  connected(link) {
    const run = this.#runs.get(link);
    if (run?.fingerprints && run.fingerprints.join() !== fingerprints(link).join()) this.#begin(link);
  }

  /** @param {Link} link */
  removed(link) {
    this.#runs.delete(link);
    this.#turns.delete(link);
  }

  /** @param {Link} link */
  #begin(link) {
    const own = freshNonce();
    this.#runs.set(link, { awaits: link.polite ? 'safety-commit' : 'safety-value', own, commitment: null, fingerprints: null });
    this.#show(link, null);
    if (!link.polite) this.#inTurn(link, async () => this.#tell(link, 'safety-commit', await commitmentTo(await loadCrypto(), own)));
  }

  /** @param {Link} link @param {SafetyMessage} message */
  #receive(link, message) {
    this.opened(link);
    this.#inTurn(link, () => this.#step(link, message));
  }

  /** @param {Link} link @param {SafetyMessage} message */
  async #step(link, { type, value }) {
    const run = this.#runs.get(link);
    const bytes = fromBase64url(value);
    if (!run || !bytes || run.awaits === 'failed') return;
    if (run.awaits !== type) return this.#fail(link, run);
    if (type === 'safety-commit') {
      run.commitment = bytes;
      run.awaits = 'safety-reveal';
      this.#tell(link, 'safety-value', run.own);
    } else if (type === 'safety-value') {
      this.#tell(link, 'safety-reveal', run.own);
      run.awaits = 'done';
      await this.#finish(link, run, [run.own, bytes]);
    } else if (run.commitment && (await keeps(await loadCrypto(), run.commitment, bytes))) {
      run.awaits = 'done';
      await this.#finish(link, run, [bytes, run.own]);
    } else {
      this.#fail(link, run);
    }
  }

  /** @param {Link} link @param {Run} run @param {[Bytes, Bytes]} values the one committed to first */
  async #finish(link, run, [first, second]) {
    await applied(link);
    run.fingerprints = fingerprints(link);
    const number = await safetyNumber(await loadCrypto(), run.fingerprints, first, second);
    if (this.#runs.get(link) === run) this.#show(link, number);
  }

  /** @param {Link} link @param {Run} run */
  #fail(link, run) {
    run.awaits = 'failed';
    this.#show(link, null);
    console.warn('talkie: no safety number with', link.id);
  }

  /** @param {Link} link @param {string|null} safety */
  #show(link, safety) {
    patchPeer(this.context.store, link.key, { safety, verified: false, doubted: false });
  }

  /** @param {Link} link @param {SafetyStep} type @param {Bytes} value */
  #tell(link, type, value) {
    link.tell({ type, value: base64url(value) });
  }

  /** @param {Link} link @param {() => Promise<void>} act */
  #inTurn(link, act) {
    const turn = (this.#turns.get(link) ?? Promise.resolve()).then(act).catch((error) => console.warn('talkie: safety number', error));
    this.#turns.set(link, turn);
  }
}

/** Those that both ends applied. @param {Link} link */
const fingerprints = ({ pc }) => fingerprintsOf(pc?.currentLocalDescription?.sdp, pc?.currentRemoteDescription?.sdp);

/** The channel may be open before the page has been told that the answer is applied. @param {Link} link */
async function applied({ pc }) {
  while (pc && !(pc.currentLocalDescription && pc.currentRemoteDescription)) {
    await new Promise((resolve) => pc.addEventListener('signalingstatechange', resolve, { once: true }));
  }
}
