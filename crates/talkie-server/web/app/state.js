/**
 * The one place that holds what the page shows. Everything that happens ends in `set` or one of the
 * functions below; views subscribe to the part they draw. Values are replaced, never mutated, so that
 * "did it change" is an identity check. Streams and connections are not state: they live in the call.
 * @module
 */

/** @import {State, PeerView, TransferView, Toast, Options} from './types.js' */

/**
 * @template S
 * @typedef {object} Store
 * @property {() => Readonly<S>} get
 * @property {(patch: Partial<S>) => void} set
 * @property {<T>(select: (state: Readonly<S>) => T, changed: (value: T) => void) => () => void} subscribe
 *   calls `changed` at once and whenever the selected value is another; returns how to stop
 */

/** @typedef {Store<State>} AppStore */

/**
 * @template {object} S
 * @param {S} initial
 * @returns {Store<S>}
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch };
      // A copy, because a listener may come or go while we notify.
      for (const listener of [...listeners]) if (listeners.has(listener)) listener();
    },
    subscribe(select, changed) {
      let last = select(state);
      const listener = () => {
        const value = select(state);
        if (Object.is(value, last)) return;
        last = value;
        changed(value);
      };
      listeners.add(listener);
      changed(last);
      return () => listeners.delete(listener);
    },
  };
}

/** @type {Options} */
export const NO_OPTIONS = { join: false, relay: false, nomedia: false, transport: null, name: null };

/** @returns {State} */
export function initialState() {
  return {
    view: 'home',
    room: '',
    key: null,
    brokenKey: false,
    door: null,
    name: '',
    options: NO_OPTIONS,
    media: { mic: 'none', camera: 'none', screen: false, pending: false, problems: {}, micId: '', cameraId: '' },
    online: globalThis.navigator?.onLine !== false,
    unreachable: false,
    ...emptyCall(),
    toasts: [],
  };
}

/** What a call starts from, and what is left of it afterwards. */
export function emptyCall() {
  return /** @satisfies {Partial<State>} */ ({
    selfId: null,
    signaling: /** @type {const} */ ('idle'),
    notice: null,
    draining: false,
    waiting: false,
    locked: false,
    knocks: [],
    invitation: /** @type {import('./types.js').Invitation|null} */ (null),
    held: false,
    soundBlocked: false,
    peers: [],
    chat: [],
    unread: 0,
    typing: [],
    hand: /** @type {number|null} */ (null),
    reactions: [],
    speaking: [],
    speaker: /** @type {string|null} */ (null),
    pinned: /** @type {string|null} */ (null),
    captions: [],
    recording: /** @type {{since: number}|null} */ (null),
    roomPeers: /** @type {number|null} */ (null),
    transfers: [],
    panel: /** @type {import('./types.js').PanelName|null} */ (null),
    watched: /** @type {string|null} */ (null),
  });
}

/** @param {AppStore} store @param {PeerView} peer */
export function addPeer(store, peer) {
  store.set({ peers: [...store.get().peers, peer] });
}

/** @param {AppStore} store @param {string} key @param {Partial<PeerView>} patch */
export function patchPeer(store, key, patch) {
  store.set({ peers: store.get().peers.map((p) => (p.key === key ? { ...p, ...patch } : p)) });
}

/** @param {AppStore} store @param {string} key */
export function removePeer(store, key) {
  store.set({ peers: store.get().peers.filter((p) => p.key !== key) });
}

/** @param {AppStore} store @param {TransferView} transfer */
export function addTransfer(store, transfer) {
  store.set({ transfers: [...store.get().transfers, transfer] });
}

/** @param {AppStore} store @param {string} id @param {Partial<TransferView>} patch */
export function patchTransfer(store, id, patch) {
  store.set({ transfers: store.get().transfers.map((t) => (t.id === id ? { ...t, ...patch } : t)) });
}

const TOAST_MS = 6000;
const TOASTS_AT_ONCE = 4;
let toastId = 0;

/** @param {AppStore} store @param {Toast['kind']} kind @param {string} text */
export function toast(store, kind, text) {
  const id = ++toastId;
  store.set({ toasts: [...store.get().toasts, { id, kind, text }].slice(-TOASTS_AT_ONCE) });
  setTimeout(() => dismissToast(store, id), TOAST_MS);
}

/** @param {AppStore} store @param {number} id */
export function dismissToast(store, id) {
  store.set({ toasts: store.get().toasts.filter((t) => t.id !== id) });
}
