/**
 * One peer: its RTCPeerConnection, negotiation (negotiation.js), the control channel (channel.js), what
 * comes in and goes out. The one that joined later offers first and is polite. The other makes its
 * connection when that offer comes. A link outlives the ids the server gives: `rebind` says who the
 * peer is now.
 * @module
 */
import { ControlChannel } from './channel.js';
import { failureIsFinal } from './final-failure.js';
import { Gathered } from './gathered.js';
import { addCandidates } from './heard.js';
import { Negotiation } from './negotiation.js';
import { RestartPolicy } from './restart.js';
import { answerSlots, offerSlots, SLOTS } from './slots.js';
import { Trace } from './trace.js';

/** @import {Phase, Slot} from '../types.js' */
/** @import {ControlMessage} from './control.js' */
/** @import {Slots} from './slots.js' */

/** @typedef {import('./context.js').LinkContext} LinkContext */

let nextKey = 0;

export class Link {
  /** @type {RTCPeerConnection|null} */ pc = null;
  /** What happened, for whoever asks why. */
  trace = new Trace();
  /** @type {Phase} */ phase = 'connecting';
  /** Names this connection to the other end: whoever knows it was there when it was made. */
  tag = '';
  /** The id that the peer said it has now, not yet confirmed by the server. @type {string|null} */
  announced = null;
  /** @type {Slots} */ slots = new Map();
  /** @type {Partial<Record<Slot, MediaStream>>} */ #streams = {};
  #gathered = new Gathered((candidates) => this.context.signal(this.id, { link: this.tag, candidates }));
  /** @type {Promise<void>} */ #inbox = Promise.resolve();
  /** @type {Negotiation|null} */ #negotiation = null;
  /** @type {ControlChannel|null} */ #control = null;
  #closed = false;
  #wasConnected = false;
  /** Beyond repair: it takes another connection. */ #isDead = false;

  /**
   * @param {{id: string, name: string, polite: boolean, attempts?: number}} peer `attempts` to reach it in vain so far
   * @param {LinkContext} context
   */
  constructor(peer, context) {
    this.key = `p${++nextKey}`;
    this.id = peer.id;
    this.name = peer.name;
    this.polite = peer.polite;
    this.context = context;
    this.policy = new RestartPolicy({ eager: peer.polite, attempts: peer.attempts, restart: () => this.#restart(), gaveUp: () => this.#setPhase('failed') });
  }

  get connected() {
    return this.pc?.connectionState === 'connected' && !this.#isDead;
  }

  get closed() {
    return this.#closed;
  }

  get control() {
    return this.#control?.channel ?? null;
  }

  /** The polite side begins. */
  start() {
    this.tag = crypto.randomUUID?.() ?? String(crypto.getRandomValues(new Uint32Array(4)));
    const pc = this.#open();
    this.slots = offerSlots(pc, this.context);
    this.context.events.slots(this);
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
    this.trace.note('rebound');
    this.resend();
  }

  /** An offer that went out just before the session was lost may never have arrived. */
  resend() {
    this.#negotiation?.resend();
    this.policy.poke();
  }

  /** Codecs or directions changed, of which the browser does not tell by itself, or somebody wants it so. */
  renegotiate() {
    if (!this.#closed) this.#negotiation?.needed();
  }

  /** All that goes either way. @param {RTCRtpTransceiverDirection} direction */
  setDirection(direction) {
    for (const transceiver of this.slots.values()) {
      if (transceiver.currentDirection !== 'stopped') transceiver.direction = direction;
    }
  }

  /** The device is on another network, or on one again. */
  networkChanged() {
    this.trace.note('network-changed');
    this.policy.networkChanged();
  }

  /** Somebody pressed the button. @returns {boolean} whether it could be done now */
  restartByHand() {
    this.trace.note('ice-restart-by-hand');
    return this.#restart();
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
    return this.#control?.tell(message) ?? false;
  }

  /** The server touched what the peer sends: what is connected stays so, nothing more is tried. */
  refuse() {
    this.policy.stop();
    if (this.connected) return;
    this.close();
    this.#setPhase('refused');
  }

  close() {
    this.#closed = true;
    this.#gathered.close();
    this.policy.stop();
    this.#negotiation?.close();
    this.#control?.close();
    const { pc } = this;
    if (!pc) return;
    pc.onicecandidate = pc.onicecandidateerror = pc.onconnectionstatechange = null;
    pc.oniceconnectionstatechange = pc.onicegatheringstatechange = pc.ondatachannel = null;
    for (const { receiver } of this.slots.values()) receiver.track.onmute = receiver.track.onunmute = null;
    pc.close();
  }

  #open() {
    const pc = new RTCPeerConnection(this.context.config());
    this.pc = pc;
    this.#negotiation = new Negotiation(pc, this.polite, {
      describe: (description) => this.#signal({ description }),
      ask: () => this.#signal({ negotiate: true }),
      settled: () => {
        this.trace.note('negotiated');
        if (!this.#isDead) this.policy.settled();
        this.context.events.negotiated(this);
      },
    });
    pc.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      this.trace.found(candidate);
      this.#gathered.add(candidate);
    };
    pc.onicecandidateerror = (event) => this.trace.failed(event);
    pc.onicegatheringstatechange = () => (this.trace.gathered = pc.iceGatheringState === 'complete');
    pc.onconnectionstatechange = () => this.#stateChanged();
    pc.oniceconnectionstatechange = () => this.#stateChanged();
    pc.ondatachannel = ({ channel }) => this.context.events.channel(this, channel);
    this.policy.begin();
    this.trace.note('begun');
    return pc;
  }

  /** @param {{description?: RTCSessionDescription|null, negotiate?: true, restart?: true, anew?: true}} what */
  #signal(what) {
    this.#gathered.flush();
    // Who has no end of this connection must not take an offer of it for the first one.
    this.context.signal(this.id, { link: this.tag, ...(this.#wasConnected && { again: true }), ...what });
  }

  /** @param {any} payload */
  async #handle(payload) {
    if (this.#closed || typeof payload !== 'object' || payload === null) return;
    if (payload.description) await this.#describe(payload.description, payload.link);
    if (payload.negotiate === true) this.#negotiation?.asked();
    if (payload.restart === true && this.polite) {
      this.trace.note('ice-restart-wanted');
      // Its word counts for the connection that it speaks of, not for the one that came after.
      if (payload.anew === true && payload.link === this.tag) this.#isDead = true;
      this.policy.asked();
    }
    const moot = () => this.#closed || this.#negotiation?.ignoringOffer === true;
    await addCandidates(payload.candidates, { pc: this.pc, trace: this.trace, moot });
  }

  /** @param {RTCSessionDescriptionInit} description @param {unknown} tag */
  async #describe(description, tag) {
    const first = this.pc === null;
    if (first && description.type !== 'offer') return;
    const pc = this.pc ?? this.#open();
    if (description.type === 'offer' && typeof tag === 'string') this.tag = tag.slice(0, 128);
    await this.#negotiation?.receive(description, async () => {
      if (!first) return;
      this.#openControl(pc);
      this.slots = await answerSlots(pc, this.context);
      this.context.events.slots(this);
      this.#adoptReceivers();
    });
  }

  /** @param {RTCPeerConnection} pc */
  #openControl(pc) {
    const { events } = this.context;
    this.#control = new ControlChannel(pc, {
      opened: () => events.control(this),
      message: (message) => events.message(this, message),
      flooded: () => {
        this.trace.note('cut-off');
        this.close();
        this.#setPhase('cut');
        events.flooded(this);
      },
    });
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
    if (pc.iceConnectionState === 'failed' && failureIsFinal()) this.#isDead = true;
    if (this.#isDead) this.policy.observe('failed', 'failed');
    else this.policy.observe(pc.connectionState, pc.iceConnectionState);
    if (pc.connectionState === 'disconnected' || pc.connectionState === 'failed') this.trace.note(pc.connectionState);
    if (this.connected) {
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
    if (phase === 'connected') this.trace.note('connected');
    this.context.events.phase(this, phase);
  }

  #restart() {
    const pc = this.pc;
    if (!pc || this.#closed || !this.context.canSignal()) return false;
    if (this.#isDead) {
      this.trace.note(this.polite ? 'called-anew' : 'call-wanted');
      if (this.polite) this.context.events.dead(this);
      else this.#signal({ restart: true, anew: true });
      return true;
    }
    // An offer on its way brings new credentials for both; a second one would only collide.
    if (pc.signalingState !== 'stable') return false;
    pc.setConfiguration(this.context.config());
    // Always the side that offered first: two restarts at once end, between Firefox and Chromium, in an
    // answer with the DTLS roles exchanged, which Chromium refuses.
    this.trace.note(this.polite ? 'ice-restart' : 'ice-restart-asked');
    if (this.polite) pc.restartIce();
    else this.#signal({ restart: true });
    return true;
  }
}
