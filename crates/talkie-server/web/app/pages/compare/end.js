/**
 * One end of a comparison. The two find each other at `/compare/socket/PAIR`, where the server hands
 * frames across; over that same WebSocket they arrange a connection of their own with two data channels.
 * The end that made the pair leads. When neither did (both pages were reloaded), a draw decides.
 * @module
 */
import { wordsFrame } from './frames.js';
import { channelLane, socketLane } from './lane.js';

/** @import {Words} from './frames.js' */
/** @import {Lane} from './lane.js' */

/** ICE through a slow relay takes this long. */
const CONNECT_WITHIN_MS = 25_000;

/** @typedef {'waiting'|'connecting'|'ready'|'failed'|'gone'} EndState */

/**
 * `channel` is reliable and ordered, as a WebSocket is; `loose` is neither.
 * @typedef {{socket: Lane, channel: Lane, loose: Lane}} Lanes
 */

export class End {
  /** @type {EndState} */ state = 'waiting';
  /** @type {Lanes|null} */ lanes = null;
  /** @type {RTCPeerConnection|null} */ pc = null;
  leads = false;
  /** Whether the server took this end at all. */
  wasOpen = false;
  /** @type {((words: Words) => void)|null} */ heard = null;
  #draw = Math.random();
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #deadline;
  /** @type {Promise<unknown>} */ #inbox = Promise.resolve();

  /**
   * @param {{pair: string, made: boolean, iceServers: RTCIceServer[], changed: (end: End, reason: string) => void}} how
   *   `made`: this page made the pair
   */
  constructor({ pair, made, iceServers, changed }) {
    this.made = made;
    this.iceServers = iceServers;
    this.changed = changed;
    this.socket = new WebSocket(socketUrl(pair));
    this.lane = socketLane(this.socket);
    // One after the other: a candidate waits for the description before it.
    this.lane.on.words = (words) => {
      this.#inbox = this.#inbox.then(() => this.#words(words)).catch(() => this.#end('failed', ''));
    };
    this.socket.addEventListener('open', () => (this.wasOpen = true));
    this.socket.addEventListener('message', ({ data }) => {
      if (data === 'paired') this.say({ type: 'hello', leads: made, draw: this.#draw });
    });
    this.socket.addEventListener('close', ({ reason }) => this.#end('gone', reason));
  }

  /** @param {Words} words */
  say(words) {
    this.lane.send(wordsFrame(words));
  }

  close() {
    this.#end('gone', '');
  }

  /** @param {Words} words */
  async #words(words) {
    switch (words.type) {
      case 'hello':
        if (this.pc) return;
        this.leads = this.made !== words.leads ? this.made : this.#draw > words.draw;
        return this.#connect();
      case 'description':
        return this.#describe(words.description);
      case 'candidate':
        // Of a network that this browser does not speak, for instance.
        return void (await this.pc?.addIceCandidate(words.candidate).catch(() => {}));
      default:
        return this.heard?.(words);
    }
  }

  async #connect() {
    this.#become('connecting', '');
    this.#deadline = setTimeout(() => this.#end('failed', ''), CONNECT_WITHIN_MS);
    const pc = new RTCPeerConnection({ iceServers: this.iceServers });
    this.pc = pc;
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && this.say({ type: 'candidate', candidate: candidate.toJSON() });
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'failed') this.#end('failed', '');
    };
    const channel = pc.createDataChannel('reliable', { negotiated: true, id: 0 });
    const loose = pc.createDataChannel('loose', { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 });
    this.lanes = { socket: this.lane, channel: channelLane(channel), loose: channelLane(loose) };
    const opened = () => {
      if (channel.readyState !== 'open' || loose.readyState !== 'open') return;
      clearTimeout(this.#deadline);
      this.#become('ready', '');
    };
    channel.onopen = opened;
    loose.onopen = opened;
    if (this.leads) await this.#describeOurselves(pc);
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #describe(description) {
    const pc = this.pc;
    if (!pc || description.type !== (this.leads ? 'answer' : 'offer')) return;
    await pc.setRemoteDescription(description);
    if (!this.leads) await this.#describeOurselves(pc);
  }

  /** @param {RTCPeerConnection} pc */
  async #describeOurselves(pc) {
    await pc.setLocalDescription();
    const { type, sdp } = /** @type {RTCSessionDescription} */ (pc.localDescription);
    this.say({ type: 'description', description: { type, sdp } });
  }

  /** @param {EndState} state @param {string} reason */
  #end(state, reason) {
    clearTimeout(this.#deadline);
    if (this.state === 'gone' || this.state === 'failed') return;
    this.socket.close();
    this.pc?.close();
    this.#become(state, reason);
  }

  /** @param {EndState} state @param {string} reason */
  #become(state, reason) {
    this.state = state;
    this.changed(this, reason);
  }
}

/** @param {string} pair */
function socketUrl(pair) {
  const url = new URL(`/compare/socket/${pair}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
