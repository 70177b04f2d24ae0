/**
 * Recording the call to a file on this computer. The others are told before the first picture is taken
 * (`recording` in the state message), and again when it is over; it is stopped and saved when we leave.
 * The machinery is loaded when it is first wanted.
 * @module
 */
import { preferences } from '../preferences.js';
import { toast } from '../state.js';
import { strings } from '../strings.js';

/** @import {CallContext} from './feature.js' */
/** @import {Recorder, Subject} from '../recording/recorder.js' */

/** How long an address of a saved recording is good for. */
const SAVED_MS = 120_000;

export class Recording {
  /** @type {Recorder|null} */ #recorder = null;
  #name = '';
  #busy = false;
  #closed = false;

  /** @param {CallContext} context @param {() => void} told tells the others how things stand */
  constructor(context, told) {
    this.context = context;
    this.told = told;
  }

  /** Starting needs a person's click, since a place for the file may be asked for. */
  async toggle() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await (this.#recorder ? this.#stop() : this.#start());
    } finally {
      this.#busy = false;
    }
  }

  close() {
    this.#closed = true;
    if (this.#recorder) void this.#stop();
  }

  async #start() {
    const { store } = this.context;
    const [{ recordingFormat, recordingName }, { Recorder }, { openPlace }] = await Promise.all([
      import('../recording/format.js'), import('../recording/recorder.js'), import('../recording/place.js'),
    ]);
    const mime = typeof MediaRecorder === 'function' ? recordingFormat((type) => MediaRecorder.isTypeSupported(type)) : null;
    if (!mime) return toast(store, 'bad', strings.recording.unsupported);
    /** @type {Recorder|null} */
    let recorder = null;
    try {
      this.#name = recordingName(store.get().room, new Date(), mime);
      const sink = await openPlace(this.#name, mime);
      if (this.#closed) return void sink.abort();
      recorder = this.#recorder = new Recorder(await this.#subject(), sink, mime, (error) => this.#failed(error));
      this.#say({ since: performance.now() });
      await recorder.start();
      // The others were told first; the time counts from the first picture.
      this.context.store.set({ recording: { since: performance.now() } });
      addEventListener('beforeunload', askBeforeLeaving);
      toast(store, 'info', strings.recording.started);
    } catch (error) {
      this.#say(null);
      this.#recorder = null;
      void recorder?.abandon();
      // The person closed the dialog that asks for a place.
      if (/** @type {any} */ (error)?.name === 'AbortError') return;
      console.warn('talkie: recording', error);
      toast(store, 'bad', /** @type {any} */ (error)?.name === 'NotReadableError' ? strings.recording.noSound : strings.recording.unsupported);
    }
  }

  async #stop() {
    const recorder = this.#recorder;
    if (!recorder) return;
    this.#recorder = null;
    removeEventListener('beforeunload', askBeforeLeaving);
    this.#say(null);
    try {
      const address = await recorder.stop();
      if (address) save(address, this.#name);
      toast(this.context.store, 'good', address ? strings.recording.savedAs(this.#name) : strings.recording.saved);
    } catch (error) {
      console.warn('talkie: recording', error);
      toast(this.context.store, 'bad', strings.recording.failed);
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    console.warn('talkie: recording', error);
    if (!this.#recorder) return;
    toast(this.context.store, 'bad', strings.recording.failed);
    void this.#stop();
  }

  /** @param {{since: number}|null} recording */
  #say(recording) {
    this.context.store.set({ recording });
    if (!this.#closed) this.told();
  }

  /** @returns {Promise<Subject>} */
  async #subject() {
    const { store, local, links } = this.context;
    const [{ allTiles }, { streamsOf }] = await Promise.all([import('../views/room/tiles.js'), import('../views/room/streams.js')]);
    const link = (/** @type {string} */ key) => links().find((one) => one.key === key) ?? null;
    return {
      tiles: () => allTiles(store.get()).map((tile) => ({ ...tile, name: labelOf(tile, store.get().name), stream: streamsOf(tile, local, { link }).video })),
      choice: () => ({ layout: preferences.get().layout, pinned: store.get().pinned, speaker: store.get().speaker }),
      sounds: () => {
        const remote = links().flatMap((one) => [one.stream('mic'), one.stream('screenAudio')]).flatMap((stream) => stream?.getAudioTracks() ?? []);
        const own = [local.tracks.get('mic'), local.tracks.get('screenAudio')].filter((track) => track !== undefined);
        return [...remote, ...own];
      },
    };
  }
}

/** Who watches later wants a name and not "You". @param {{self: boolean, kind: string, name: string}} tile @param {string} own */
function labelOf({ self, kind, name }, own) {
  const who = self ? own || strings.room.guest : name;
  return kind === 'screen' ? strings.room.screenOf(who) : who;
}

/** @param {string} address @param {string} name */
function save(address, name) {
  const link = Object.assign(document.createElement('a'), { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), SAVED_MS);
}

/** @param {BeforeUnloadEvent} event */
const askBeforeLeaving = (event) => event.preventDefault();
