/**
 * All that is said, in one track; and the beat that pictures are drawn to. Both come from one
 * AudioContext: its clock goes on in a tab that is not in front, where timers are slowed down to one a
 * second.
 * @module
 */
import { running } from '../media/audio-context.js';

export class Mix {
  #context = new AudioContext();
  #out = this.#context.createMediaStreamDestination();
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */ #sources = new Map();
  /** @type {(() => void)|null} */ #tick = null;

  get track() {
    return /** @type {MediaStreamTrack} */ (this.#out.stream.getAudioTracks()[0]);
  }

  /** Called from a click, a context starts at once. @param {number} perSecond @param {() => void} tick */
  async start(perSecond, tick) {
    await running(this.#context);
    this.#tick = tick;
    this.#beat(perSecond);
  }

  /** Exactly these tracks are heard from now on. @param {Iterable<MediaStreamTrack>} tracks */
  hear(tracks) {
    const wanted = new Set([...tracks].filter((track) => track.readyState === 'live'));
    for (const [track, source] of this.#sources) {
      if (wanted.has(track)) continue;
      source.disconnect();
      this.#sources.delete(track);
    }
    for (const track of wanted) {
      if (this.#sources.has(track)) continue;
      const source = this.#context.createMediaStreamSource(new MediaStream([track]));
      source.connect(this.#out);
      this.#sources.set(track, source);
    }
  }

  close() {
    this.#tick = null;
    this.hear([]);
    void this.#context.close().catch(() => {});
  }

  /** @param {number} perSecond */
  #beat(perSecond) {
    if (!this.#tick) return;
    const silence = new ConstantSourceNode(this.#context, { offset: 0 });
    silence.connect(this.#out);
    silence.onended = () => {
      silence.disconnect();
      this.#beat(perSecond);
      this.#tick?.();
    };
    silence.start();
    silence.stop(this.#context.currentTime + 1 / perSecond);
  }
}
