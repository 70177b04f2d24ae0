/**
 * A call: one room, from joining to leaving. Wires signaling, roster, links, local media and the
 * features together and writes what happens into the store. Holds no logic that one of them could hold.
 * @module
 */
import { PathMonitor } from '../peer/monitor.js';
import { addPeer, emptyCall, patchPeer, removePeer, toast } from '../state.js';
import { strings } from '../strings.js';
import { cleanName } from '../names.js';
import { Transfers } from '../files/transfers.js';
import { Sending } from '../sending/sending.js';
import { Chat } from './chat.js';
import { Hold } from './hold.js';
import { Presence } from './presence.js';
import { Reactions } from './reactions.js';
import { Speakers } from './speakers.js';
import { rtcConfiguration, usableServers } from './ice-servers.js';
import { readRoomPeers } from './room-limit.js';
import { readInvitation } from './invitation.js';
import { Roster } from './roster.js';
import { Signaling } from './signaling.js';

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {ControlMessage} from '../peer/control.js' */
/** @import {LocalMedia} from '../media/local.js' */
/** @import {Slot} from '../types.js' */
/** @import {CallContext, Feature} from './feature.js' */
/** @import {ServerMessage} from './signaling.js' */

const REJOIN_EVERY_MS = 4000;

export class Call {
  /** @type {RTCIceServer[]} */ #iceServers = [];
  /** @type {Set<(link: Link, slot: Slot) => void>} */ #mediaListeners = new Set();
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #rejoinTimer;
  #everJoined = false;
  #stopTracks;

  /**
   * @param {AppStore} store
   * @param {LocalMedia} local
   * @param {(code: string) => void} refused the server does not let us in; the call is over
   */
  constructor(store, local, refused) {
    this.store = store;
    this.local = local;
    this.refused = refused;
    /** @type {CallContext} */
    const context = { store, local, links: () => this.roster.links };
    this.chat = new Chat(context);
    this.presence = new Presence(context);
    this.reactions = new Reactions(context);
    this.hold = new Hold(context, () => this.presence.changed());
    this.sending = new Sending(context);
    this.transfers = new Transfers(store);
    this.signaling = new Signaling(signalUrl(), {
      session: (welcome) => this.#session(welcome),
      message: (message) => this.#message(message),
      status: (signaling) => this.#status(signaling),
      ended: (code) => this.#ended(code),
    });
    this.roster = new Roster(this.#linkContext(), {
      added: (link) => this.#added(link),
      removed: (link) => this.#removed(link),
      renamed: (link) => patchPeer(store, link.key, { id: link.id, name: link.name }),
    });
    this.monitor = new PathMonitor(
      () => this.roster.links,
      (link, path) => patchPeer(store, link.key, { path }),
    );
    /** @type {Feature[]} */
    this.features = [this.presence, this.sending, this.monitor, this.chat, this.reactions, new Speakers(context), this.transfers];
    this.#stopTracks = local.onTrack((slot, track) => {
      for (const link of this.roster.links) void link.setTrack(slot, track);
    });
  }

  join() {
    this.monitor.start();
    this.signaling.start();
  }

  leave() {
    clearTimeout(this.#rejoinTimer);
    this.#stopTracks();
    this.roster.clear();
    for (const feature of this.features) feature.close?.();
    // Said apart from the end of the session: `left` means gone, `ended` may be followed by a new session.
    if (this.store.get().selfId !== null) this.signaling.send('leave');
    this.signaling.close();
    this.store.set(emptyCall());
  }

  /** The device is on another network, or on one again. */
  networkChanged() {
    this.signaling.wake();
    for (const link of this.roster.links) link.networkChanged();
  }

  /** @param {string} key */
  link(key) {
    return this.roster.links.find((link) => link.key === key) ?? null;
  }

  /** @param {(link: Link, slot: Slot) => void} listener @returns {() => void} */
  onMedia(listener) {
    this.#mediaListeners.add(listener);
    return () => this.#mediaListeners.delete(listener);
  }

  /** @returns {import('../peer/link.js').LinkContext} */
  #linkContext() {
    return {
      config: () => rtcConfiguration(this.#iceServers, this.store.get().options),
      canSignal: () => this.signaling.status === 'open',
      signal: (to, payload) => void this.signaling.send('signal', { to, payload }),
      streams: { person: new MediaStream(), screen: new MediaStream() },
      tracks: this.local.tracks,
      direction: () => this.hold.direction(),
      events: {
        phase: (link, phase) => {
          patchPeer(this.store, link.key, { phase });
          if (phase === 'connected') this.#each('connected', link);
        },
        control: (link) => {
          this.roster.introduced(link);
          this.#each('opened', link);
        },
        slots: (link) => this.#each('slots', link),
        negotiated: (link) => this.#each('negotiated', link),
        flooded: (link) => toast(this.store, 'bad', strings.flooded(link.name)),
        message: (link, message) => this.#control(link, message),
        media: (link, slot) => {
          for (const listener of this.#mediaListeners) listener(link, slot);
        },
        channel: (link, channel) => this.transfers.incoming(link, channel),
      },
    };
  }

  /** @param {ServerMessage} welcome */
  #session(welcome) {
    this.#useServers(welcome.iceServers);
    this.store.set({ draining: false, invitation: readInvitation(welcome), roomPeers: readRoomPeers(welcome.limits) });
    this.#enter();
  }

  #enter() {
    clearTimeout(this.#rejoinTimer);
    const { room, name } = this.store.get();
    this.signaling.send('join', { room, name });
  }

  /** @param {ServerMessage} message */
  #message(message) {
    switch (message.type) {
      case 'joined':
        this.#everJoined = true;
        this.store.set({ selfId: String(message.self), notice: null });
        return this.roster.joined(String(message.self), peersOf(message.peers));
      case 'peer-joined':
        return peersOf([message.peer]).forEach((peer) => this.roster.came(peer));
      case 'peer-left':
        return this.roster.went(String(message.peer), String(message.reason));
      case 'signal':
        return this.roster.signal(String(message.from), message.payload);
      case 'ice-servers':
        return this.#useServers(message.iceServers);
      case 'draining':
        return this.store.set({ draining: true });
      case 'error':
        return this.#error(String(message.code));
      default:
        return undefined;
    }
  }

  /** @param {string} code of an error after which the session goes on */
  #error(code) {
    // A signal that crossed with its peer's leaving is nobody's fault.
    if (code === 'no-such-peer' || code === 'not-in-room' || code === 'already-in-room') return;
    console.warn('talkie: server error', code);
    if (!JOIN_ERRORS.has(code)) return;
    if (!this.#everJoined) return this.refused(code);
    // We were in and want to be in again; media to those we still reach goes on meanwhile.
    this.store.set({ notice: code });
    this.#rejoinTimer = setTimeout(() => this.#enter(), REJOIN_EVERY_MS);
  }

  /** @param {import('../types.js').SignalingStatus} signaling */
  #status(signaling) {
    this.store.set({ signaling });
    if (signaling === 'open') for (const link of this.roster.links) link.policy.poke();
  }

  /** @param {string} code */
  #ended(code) {
    if (this.#everJoined) this.store.set({ notice: code });
    else this.refused(code);
  }

  /** @param {unknown} servers */
  #useServers(servers) {
    this.#iceServers = usableServers(servers, this.store.get().options);
  }

  /** @param {Link} link */
  #added(link) {
    const { key, id, name, phase } = link;
    addPeer(this.store, { key, id, name, phase, mic: false, camera: false, screen: false, hand: null, recording: false, held: false, path: null, quality: null });
    this.#each('added', link);
  }

  /** @param {Link} link */
  #removed(link) {
    this.#each('removed', link);
    removePeer(this.store, link.key);
  }

  /** @param {'added'|'slots'|'negotiated'|'opened'|'connected'|'removed'} what @param {Link} link */
  #each(what, link) {
    for (const feature of this.features) feature[what]?.(link);
  }

  /** @param {Link} link @param {ControlMessage} message */
  #control(link, message) {
    if (message.type === 'moved') return this.roster.moved(link, message.id);
    for (const feature of this.features) feature.on?.[message.type]?.(link, message);
  }
}

const JOIN_ERRORS = new Set(['bad-room-name', 'bad-name', 'room-full', 'too-many-rooms', 'server-full', 'draining', 'too-fast']);

/** @param {unknown} list @returns {{id: string, name: string}[]} */
function peersOf(list) {
  if (!Array.isArray(list)) return [];
  return list.filter((peer) => typeof peer?.id === 'string').map((peer) => ({ id: peer.id, name: cleanName(peer.name) || strings.room.guest }));
}

function signalUrl() {
  const url = new URL('/signal', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url.href;
}
