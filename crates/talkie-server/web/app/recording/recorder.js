/**
 * Records the call: the tiles drawn into one picture, everybody's sound in one track, written piece by
 * piece. Nothing is drawn while nothing is recorded.
 * @module
 */
import { Mix } from './mix.js';
import { pictureTrack } from './picture-track.js';
import { Scene } from './scene.js';

/** @import {Sink} from '../files/sinks/sink.js' */
/** @import {SceneChoice, SceneTile} from './scene.js' */

const PICTURES_PER_SECOND = 20;
const PIECE_MS = 1000;
const VIDEO_BITS = 2_500_000;
const AUDIO_BITS = 96_000;

/**
 * @typedef {object} Subject what is recorded, asked for at every picture
 * @property {() => SceneTile[]} tiles
 * @property {() => SceneChoice} choice
 * @property {() => MediaStreamTrack[]} sounds
 */

export class Recorder {
  #mix = new Mix();
  #canvas = document.createElement('canvas');
  #scene = new Scene(this.#canvas);
  #picture = pictureTrack(this.#canvas);
  /** @type {Promise<unknown>} */ #written = Promise.resolve();
  #recorder;

  /**
   * @param {Subject} subject
   * @param {Sink} sink
   * @param {string} mime
   * @param {(error: unknown) => void} failed it goes on no longer; `stop` keeps what is there
   */
  constructor(subject, sink, mime, failed) {
    this.subject = subject;
    this.sink = sink;
    const stream = new MediaStream([this.#picture.track, this.#mix.track]);
    this.#recorder = new MediaRecorder(stream, { mimeType: mime, videoBitsPerSecond: VIDEO_BITS, audioBitsPerSecond: AUDIO_BITS });
    this.#recorder.ondataavailable = ({ data }) => this.#write(data, failed);
    this.#recorder.onerror = failed;
  }

  async start() {
    this.#draw();
    await this.#mix.start(PICTURES_PER_SECOND, () => this.#draw());
    this.#recorder.start(PIECE_MS);
  }

  /** @returns {Promise<string|null>} a blob: address to save from; null: it is in its file already */
  async stop() {
    const recorder = this.#recorder;
    if (recorder.state !== 'inactive') {
      const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
      recorder.stop();
      await stopped;
    }
    this.#release();
    await this.#written.catch(() => {});
    return this.sink.finish();
  }

  /** It could not start: nothing of it is kept. */
  abandon() {
    this.#release();
    return this.sink.abort().catch(() => {});
  }

  #release() {
    this.#mix.close();
    this.#scene.close();
    this.#picture.stop();
  }

  #draw() {
    this.#mix.hear(this.subject.sounds());
    this.#scene.draw(this.subject.tiles(), this.subject.choice());
    this.#picture.frame();
  }

  /** @param {Blob} piece @param {(error: unknown) => void} failed */
  #write(piece, failed) {
    if (piece.size === 0) return;
    this.#written = this.#written.then(async () => this.sink.write(new Uint8Array(await piece.arrayBuffer())));
    this.#written.catch(failed);
  }
}
