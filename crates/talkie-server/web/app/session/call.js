/**
 * A call: one room, from joining to leaving. Wires signaling, roster, links, local media and the
 * features together and writes what happens into the store. Holds no logic that one of them could hold.
 * @module
 */
import { MutedHint } from '../media/muted-hint.js';
import { PathMonitor } from '../peer/monitor.js';
import { Descriptions } from '../stats/descriptions.js';
import { reasonsHere } from '../stats/reasons.js';
import { Sampler } from '../stats/sampler.js';
import { addPeer, emptyCall, patchPeer, removePeer, toast } from '../state.js';
import { strings } from '../strings.js';
import { Transfers } from '../files/transfers.js';
import { Sending } from '../sending/sending.js';
import { Chat } from './chat.js';
import { Hold } from './hold.js';
import { Presence } from './presence.js';
import { Recording } from './recording.js';
import { Reactions } from './reactions.js';
import { Speakers } from './speakers.js';
import { rtcConfiguration, usableServers } from './ice-servers.js';
import { readRoomPeers } from './room-limit.js';
import { readInvitation } from './invitation.js';
import { Membership } from './membership.js';
import { Roster } from './roster.js';
import { Safety } from './safety.js';
import { Signaling, signalUrl } from './signaling.js';

/** @import {AppStore} from '../state.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {ControlMessage} from '../peer/control.js' */
/** @import {LocalMedia} from '../media/local.js' */
/** @import {Slot} from '../types.js' */
/** @import {CallContext, Feature} from './feature.js' */
/** @import {ServerMessage} from './signaling.js' */

/**
 * @typedef {object} CallEvents
 * @property {(code: string) => void} refused the server does not let us in; the call is over
 * @property {() => void} waiting somebody inside has to let us in first
 * @property {() => void} entered
 */

export class Call {
  /** @type {RTCIceServer[]} */ #iceServers = [];
  /** @type {Set<(link: Link, slot: Slot) => void>} */ #mediaListeners = new Set();
  #stopTracks;

  /**
   * @param {AppStore} store
   * @param {LocalMedia} local
   * @param {CallEvents} events
   * @param {ReturnType<import('./door.js').Door['handOver']>} [door] the connection that is open already
   */
  constructor(store, local, events, door) {
    this.store = store;
    this.local = local;
    /** @type {CallContext} */
    const context = { store, local, links: () => this.roster.links };
    this.chat = new Chat(context);
    this.presence = new Presence(context);
    this.reactions = new Reactions(context);
    this.recording = new Recording(context, () => this.presence.changed());
    this.hold = new Hold(context, () => this.presence.changed());
    this.sending = new Sending(context);
    this.transfers = new Transfers(store, context.links);
    this.signaling = door?.signaling ?? new Signaling(signalUrl());
    this.welcome = door?.welcome ?? null;
    this.membership = new Membership(store, this.signaling, this.#membershipEvents(events));
    this.roster = new Roster(this.#linkContext(), {
      added: (link) => this.#added(link),
      removed: (link) => this.#removed(link),
      renamed: (link) => patchPeer(store, link.key, { id: link.id, name: link.name }),
      tampered: (link) => this.#tampered(link),
    });
    this.monitor = new PathMonitor(
      (link, path) => patchPeer(store, link.key, { path }),
      (link) => reasonsHere({ ...link.trace, relayOnly: store.get().options.relay, transport: store.get().options.transport }),
    );
    this.sampler = new Sampler(context, (link, { path }, quality) => {
      this.monitor.observe(link, path);
      if (store.get().peers.some((p) => p.key === link.key && p.quality !== quality)) patchPeer(store, link.key, { quality });
    });
    /** @type {Feature[]} */
    this.features = [this.presence, this.sending, this.monitor, this.sampler, new Descriptions(context), this.chat, this.reactions, new Speakers(context), new MutedHint(context), this.recording, new Safety(context), this.transfers];
    this.#stopTracks = local.onTrack((slot, track) => {
      for (const link of this.roster.links) void link.setTrack(slot, track);
    });
  }

  join() {
    this.membership.start(this.welcome);
  }

  leave() {
    this.#stopTracks();
    this.roster.clear();
    for (const feature of this.features) feature.close?.();
    this.membership.leave();
    this.store.set(emptyCall());
  }

  /** The device is on another network, or on one again. */
  networkChanged() {
    this.signaling.networkChanged();
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
      canSignal: () => this.signaling.status === 'open' && this.membership.inside,
      signal: (to, payload) => this.membership.signal(to, payload),
      streams: { person: new MediaStream(), screen: new MediaStream() },
      tracks: this.local.tracks,
      direction: () => this.hold.direction(),
      events: {
        phase: (link, phase) => {
          patchPeer(this.store, link.key, { phase });
          if (phase === 'connected') this.#each('connected', link);
          // If it is our network that went, the way to the server went with it, and a restart has to take it.
          if (phase === 'reconnecting') this.signaling.wake();
        },
        control: (link) => {
          this.roster.introduced(link);
          this.#each('opened', link);
        },
        slots: (link) => this.#each('slots', link),
        negotiated: (link) => this.#each('negotiated', link),
        dead: (link) => this.roster.replace(link),
        flooded: (link) => toast(this.store, 'bad', strings.flooded(link.name)),
        message: (link, message) => this.#control(link, message),
        media: (link, slot) => {
          for (const listener of this.#mediaListeners) listener(link, slot);
        },
        channel: (link, channel) => this.transfers.incoming(link, channel),
      },
    };
  }

  /** @param {CallEvents} events @returns {import('./membership.js').MembershipEvents} */
  #membershipEvents({ refused, waiting, entered }) {
    return {
      session: (welcome) => this.#session(welcome),
      iceServers: (servers) => this.#useServers(servers),
      joined: (self, peers) => {
        this.roster.joined(self, peers);
        entered();
      },
      came: (peer) => this.roster.came(peer),
      went: (id, reason) => this.roster.went(id, reason),
      payload: (from, payload) => this.roster.signal(from, payload),
      tampered: (id) => this.roster.tampered(id),
      waiting,
      knocksAgain: (card) => {
        this.store.set({ notice: 'knocking' });
        for (const link of this.roster.links) link.tell({ type: 'knocking', card });
      },
      refused,
      status: (signaling) => this.#status(signaling),
    };
  }

  /** @param {ServerMessage} welcome */
  #session(welcome) {
    this.#useServers(welcome.iceServers);
    this.store.set({ draining: false, invitation: readInvitation(welcome), roomPeers: readRoomPeers(welcome.limits) });
  }

  /** @param {import('../types.js').SignalingStatus} signaling */
  #status(signaling) {
    this.store.set({ signaling });
    if (signaling === 'open') for (const link of this.roster.links) link.policy.poke();
  }

  /** @param {unknown} servers */
  #useServers(servers) {
    this.#iceServers = usableServers(servers, this.store.get().options);
  }

  /** @param {Link} link */
  #added(link) {
    const { key, id, name, phase } = link;
    addPeer(this.store, { key, id, name, phase, mic: false, camera: false, screen: false, hand: null, recording: false, held: false, path: null, quality: null, safety: null, verified: false, doubted: false, tampered: false });
    this.#each('added', link);
  }

  /** @param {Link} link */
  #removed(link) {
    this.#each('removed', link);
    removePeer(this.store, link.key);
  }

  /** @param {Link} link */
  #tampered(link) {
    patchPeer(this.store, link.key, { tampered: true });
    toast(this.store, 'bad', strings.trust.tamperedToast(link.name));
  }

  /** @param {'added'|'slots'|'negotiated'|'opened'|'connected'|'removed'} what @param {Link} link */
  #each(what, link) {
    for (const feature of this.features) feature[what]?.(link);
  }

  /** @param {Link} link @param {ControlMessage} message */
  #control(link, message) {
    if (message.type === 'moved') return this.roster.moved(link, message.id);
    if (message.type === 'knocking') return this.membership.lock.announced(message.card);
    for (const feature of this.features) feature.on?.[message.type]?.(link, message);
  }
}
