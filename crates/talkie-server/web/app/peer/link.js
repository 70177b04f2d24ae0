/**
 * One peer: its RTCPeerConnection with perfect negotiation (W3C WebRTC §10.7), the control channel,
 * what comes in and goes out. The one that joined later offers first and is polite. The other makes its
 * connection when that offer comes. A link outlives the ids the server gives: `rebind` says who the
 * peer is now.
 * @module
 */
import { CONTROL_CHANNEL, parseControl } from './control.js';
import { RestartPolicy } from './restart.js';
import { answerSlots, offerSlots, SLOTS } from './slots.js';

/** @import {Phase, Slot} from '../types.js' */
/** @import {ControlMessage} from './control.js' */
/** @import {Slots, Streams} from './slots.js' */

/**
 * @typedef {object} LinkContext
 * @property {() => RTCConfiguration} config fresh at each call: credentials expire
 * @property {() => boolean} canSignal
 * @property {(to: string, payload: unknown) => void} signal
 * @property {Streams} streams
 * @property {ReadonlyMap<Slot, MediaStreamTrack>} tracks what we send at present
 * @property {LinkEvents} events
 */

/**
 * @typedef {object} LinkEvents
 * @property {(link: Link, phase: Phase) => void} phase
 * @property {(link: Link) => void} control the control channel is open
 * @property {(link: Link, message: ControlMessage) => void} message
 * @property {(link: Link, slot: Slot) => void} media something changed in what comes in
 * @property {(link: Link, channel: RTCDataChannel) => void} channel
 */

/** Candidates found within this time share a message. */
const GATHER_MS = 20;

let nextKey = 0;

export class Link {
  /** @type {RTCPeerConnection|null} */ pc = null;
  /** @type {RTCDataChannel|null} */ control = null;
  /** @type {Phase} */ phase = 'connecting';
  /** Names this connection to the other end: whoever knows it was there when it was made. */
  tag = '';
  /** The id that the peer said it has now, not yet confirmed by the server. @type {string|null} */
  announced = null;
  /** @type {Slots} */ slots = new Map();
  /** @type {Partial<Record<Slot, MediaStream>>} */ #streams = {};
  /** @type {RTCIceCandidate[]} */ #gathered = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #gatherTimer;
  /** @type {Promise<void>} */ #inbox = Promise.resolve();
  #makingOffer = false;
  #ignoringOffer = false;
  #closed = false;
  #wasConnected = false;

  /**
   * @param {{id: string, name: string, polite: boolean}} peer
   * @param {LinkContext} context
   */
  constructor(peer, context) {
    this.key = `p${++nextKey}`;
    this.id = peer.id;
    this.name = peer.name;
    this.polite = peer.polite;
    this.context = context;
    this.policy = new RestartPolicy({ eager: peer.polite, restart: () => this.#restart(), gaveUp: () => this.#setPhase('failed') });
  }

  get connected() {
    return this.pc?.connectionState === 'connected';
  }

  get closed() {
    return this.#closed;
  }

  /** The polite side begins. */
  start() {
    this.tag = crypto.randomUUID?.() ?? String(crypto.getRandomValues(new Uint32Array(4)));
    const pc = this.#open();
    this.slots = offerSlots(pc, this.context.streams, this.context.tracks);
    this.#openControl(pc);
    this.#adoptReceivers();
  }

  /** @param {unknown} payload what the peer handed to the server for us */
  receive(payload) {
    // One after the other, and a bad one spoils only itself.
    this.#inbox = this.#inbox.then(() => this.#handle(payload)).catch((error) => {
      if (!this.#closed) console.warn('talkie: signal from peer', this.id, error);
    });
  }

  /**
   * The peer (or we) joined anew: same connection, other address.
   * @param {string} id
   * @param {string} name
   */
  rebind(id, name) {
    this.id = id;
    this.name = name;
    this.announced = null;
    this.resend();
  }

  /** An offer that went out just before the session was lost may never have arrived. */
  resend() {
    if (this.pc?.signalingState === 'have-local-offer') this.#sendDescription();
    this.policy.poke();
  }

  /** @param {Slot} slot @param {MediaStreamTrack|null} track */
  async setTrack(slot, track) {
    await this.slots.get(slot)?.sender.replaceTrack(track).catch((error) => console.warn('talkie:', error));
  }

  /** @param {Slot} slot @returns {MediaStream|null} */
  stream(slot) {
    return this.#streams[slot] ?? null;
  }

  /** @param {ControlMessage} message @returns {boolean} whether it could be sent */
  tell(message) {
    if (this.control?.readyState !== 'open') return false;
    this.control.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#gatherTimer);
    this.policy.stop();
    this.pc?.close();
  }

  #open() {
    const pc = new RTCPeerConnection(this.context.config());
    this.pc = pc;
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && this.#gather(candidate);
    pc.onconnectionstatechange = () => this.#stateChanged();
    pc.oniceconnectionstatechange = () => this.#stateChanged();
    pc.ondatachannel = ({ channel }) => this.context.events.channel(this, channel);
    this.policy.begin();
    return pc;
  }

  async #offer() {
    const pc = this.pc;
    if (!pc || this.#closed) return;
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      if (!this.#closed) console.warn('talkie: offer', error);
    } finally {
      this.#makingOffer = false;
    }
  }

  #sendDescription() {
    this.#flushCandidates();
    this.context.signal(this.id, { link: this.tag, description: this.pc?.localDescription });
  }

  /** @param {RTCIceCandidate} candidate */
  #gather(candidate) {
    this.#gathered.push(candidate);
    this.#gatherTimer ??= setTimeout(() => this.#flushCandidates(), GATHER_MS);
  }

  #flushCandidates() {
    clearTimeout(this.#gatherTimer);
    this.#gatherTimer = undefined;
    if (this.#gathered.length === 0 || this.#closed) return;
    this.context.signal(this.id, { link: this.tag, candidates: this.#gathered.splice(0) });
  }

  /** @param {any} payload */
  async #handle(payload) {
    if (this.#closed || typeof payload !== 'object' || payload === null) return;
    if (payload.description) await this.#describe(payload.description, payload.link);
    if (payload.restart === true && this.polite) this.policy.asked();
    if (!Array.isArray(payload.candidates)) return;
    for (const candidate of payload.candidates.slice(0, 64)) {
      try {
        await this.pc?.addIceCandidate(candidate);
      } catch (error) {
        // Those of an offer that we ignored, or of a generation that a restart has replaced.
        if (!this.#ignoringOffer && !this.#closed) console.debug('talkie: candidate', error);
      }
    }
  }

  /** @param {RTCSessionDescriptionInit} description @param {unknown} tag */
  async #describe(description, tag) {
    const first = this.pc === null;
    if (first && description.type !== 'offer') return;
    const pc = this.pc ?? this.#open();
    const collision = description.type === 'offer' && (this.#makingOffer || pc.signalingState !== 'stable');
    this.#ignoringOffer = !this.polite && collision;
    if (this.#ignoringOffer) return;
    // Late answers to an offer that was answered already (it was sent twice) mean nothing.
    if (description.type === 'answer' && pc.signalingState !== 'have-local-offer') return;
    if (description.type !== 'offer') return this.#conclude(pc, description);
    await pc.setRemoteDescription(description);
    if (typeof tag === 'string') this.tag = tag.slice(0, 128);
    if (first) {
      this.#openControl(pc);
      this.slots = await answerSlots(pc, this.context.streams, this.context.tracks);
      this.#adoptReceivers();
    }
    await pc.setLocalDescription();
    this.#sendDescription();
  }

  /** @param {RTCPeerConnection} pc @param {RTCSessionDescriptionInit} answer */
  async #conclude(pc, answer) {
    try {
      await pc.setRemoteDescription(answer);
    } catch (error) {
      // An answer that cannot be applied must not leave us waiting for another one for ever.
      if (pc.signalingState === 'have-local-offer') await pc.setLocalDescription({ type: 'rollback' });
      throw error;
    }
  }

  /** @param {RTCPeerConnection} pc */
  #openControl(pc) {
    const channel = pc.createDataChannel(CONTROL_CHANNEL.label, { negotiated: true, id: CONTROL_CHANNEL.id });
    this.control = channel;
    channel.onopen = () => this.context.events.control(this);
    channel.onmessage = ({ data }) => {
      const message = parseControl(data);
      if (message) this.context.events.message(this, message);
    };
  }

  #adoptReceivers() {
    for (const slot of SLOTS) {
      const track = this.slots.get(slot)?.receiver.track;
      if (!track) continue;
      this.#streams[slot] = new MediaStream([track]);
      const changed = () => this.context.events.media(this, slot);
      track.onmute = changed;
      track.onunmute = changed;
      changed();
    }
  }

  #stateChanged() {
    const pc = this.pc;
    if (!pc || this.#closed) return;
    this.policy.observe(pc.connectionState, pc.iceConnectionState);
    if (pc.connectionState === 'connected') {
      this.#wasConnected = true;
      this.#setPhase('connected');
    } else if (pc.connectionState !== 'closed' && this.phase !== 'failed') {
      this.#setPhase(this.#wasConnected ? 'reconnecting' : 'connecting');
    }
  }

  /** @param {Phase} phase */
  #setPhase(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.context.events.phase(this, phase);
  }

  #restart() {
    const pc = this.pc;
    if (!pc || this.#closed || !this.context.canSignal()) return false;
    // An offer on its way brings new credentials for both; a second one would only collide.
    if (pc.signalingState !== 'stable') return false;
    pc.setConfiguration(this.context.config());
    // Always the side that offered first: two restarts at once end, between Firefox and Chromium, in an
    // answer with the DTLS roles exchanged, which Chromium refuses.
    if (this.polite) pc.restartIce();
    else this.context.signal(this.id, { link: this.tag, restart: true });
    return true;
  }
}
