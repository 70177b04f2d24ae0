/**
 * `window.talkie`: what a person with a console, or a test, may look at. Read only; nothing in the app
 * uses it. Documented in docs/web.md.
 * @module
 */

import { contextsOpen } from './media/audio-context.js';

/** @import {AppStore} from './state.js' */
/** @import {Call} from './session/call.js' */
/** @import {LocalMedia} from './media/local.js' */

/**
 * @param {AppStore} store
 * @param {() => Call|null} call
 * @param {() => LocalMedia|null} local
 */
export function exposeDiagnostics(store, call, local) {
  const talkie = {
    get state() {
      return structuredClone(store.get());
    },
    get peers() {
      return (call()?.roster.links ?? []).map((link) => ({
        key: link.key,
        id: link.id,
        name: link.name,
        polite: link.polite,
        phase: link.phase,
        pc: link.pc,
        control: link.control,
        /** @param {import('./types.js').Slot} slot */
        stream: (slot) => link.stream(slot),
      }));
    },
    get socket() {
      return call()?.signaling.socket ?? null;
    },
    get tracks() {
      return Object.fromEntries(local()?.tracks ?? []);
    },
    get captured() {
      return { mic: local()?.captured('mic') ?? null, camera: local()?.captured('camera') ?? null };
    },
    get audioContexts() {
      return contextsOpen();
    },
  };
  Object.defineProperty(window, 'talkie', { value: Object.freeze(talkie) });
}
