/**
 * Somebody's visit to a room, from the lobby until they have left: which of its views is shown, and the
 * one call, door and set of devices that belong to it. Loaded by those who go to a room.
 * @module
 */
import { LocalMedia } from './media/local.js';
import { cleanName } from './names.js';
import { rememberName } from './own-name.js';
import { Call } from './session/call.js';
import { Door } from './session/door.js';
import { emptyCall, initialState, toast } from './state.js';
import { roomView } from './views/room/room.js';
import { leftView } from './views/start/left.js';
import { lobbyView } from './views/start/lobby.js';

/** @import {AppStore} from './state.js' */
/** @import {View} from './ui/dom.js' */

/**
 * @typedef {object} Place where a visit is shown, and the ways out of it
 * @property {(make: () => View) => void} show
 * @property {() => void} home
 * @property {() => void} retry from the start, as the address says
 */

export class Visit {
  /** @type {Call|null} */ call = null;
  /** @type {Door|null} */ #door = null;
  /** @type {LocalMedia|null} */ local = null;

  /** @param {AppStore} store @param {Place} place */
  constructor(store, place) {
    this.store = store;
    this.place = place;
  }

  /** @param {string|null} [notice] why we are (again) outside */
  enterLobby(notice = null) {
    this.#goOut();
    this.store.set({ view: 'lobby', notice });
    this.#door = new Door(this.store);
    this.#door.start();
    this.#showLobby();
  }

  /** @param {string} typed */
  enterRoom(typed) {
    const { store } = this;
    const name = cleanName(typed);
    // A name that the address gave (a kiosk's) is not the person's own.
    if (store.get().options.name === null) rememberName(name);
    const media = this.#openMedia();
    const opened = this.#door?.handOver();
    this.#door = null;
    // Who has to knock stays in the lobby until somebody opens.
    const waiting = store.get().door?.locked === true;
    store.set({ ...emptyCall(), view: 'lobby', name, waiting });
    const entered = () => {
      if (store.get().view === 'room') return;
      store.set({ view: 'room' });
      this.place.show(() => roomView({ store, local: media, call: started, leave: () => this.#leave(), retry: this.place.retry }));
    };
    const started = new Call(store, media, { refused: (code) => this.enterLobby(code), waiting: () => this.#knock(), entered }, opened);
    this.call = started;
    if (!waiting) entered();
    started.join();
  }

  networkChanged() {
    this.#door?.signaling.networkChanged();
    this.call?.networkChanged();
  }

  /** Timers sleep in the background; see at once what became of the socket. */
  wake() {
    (this.call ?? this.#door)?.signaling.wake();
  }

  end() {
    this.#goOut();
    this.local?.close();
    this.local = null;
    this.store.set({ media: initialState().media });
  }

  /** The devices are opened once and carried from the lobby into the room. */
  #openMedia() {
    if (this.local) return this.local;
    const opened = new LocalMedia((media) => {
      if (this.local !== opened) return;
      this.store.set({ media });
      this.call?.presence.changed();
    }, (kind, text) => toast(this.store, kind, text));
    this.local = opened;
    if (!this.store.get().options.nomedia) void opened.start();
    return opened;
  }

  #showLobby() {
    const local = this.#openMedia();
    const { home } = this.place;
    const app = { store: this.store, local, home, enter: (/** @type {string} */ name) => this.enterRoom(name), cancel: () => this.enterLobby() };
    this.place.show(() => lobbyView(app));
  }

  /** The room turned out to be locked. */
  #knock() {
    if (this.store.get().view === 'lobby') return;
    this.store.set({ view: 'lobby' });
    this.#showLobby();
  }

  #leave() {
    this.end();
    this.store.set({ view: 'left' });
    this.place.show(() => leftView({ store: this.store, rejoin: () => this.enterLobby(), home: this.place.home }));
  }

  /** Whatever we have to do with the server, before or in the room. */
  #goOut() {
    const [left, ending] = [this.#door, this.call];
    this.#door = this.call = null;
    left?.close();
    ending?.leave();
    this.store.set({ door: null });
  }
}
