// Somebody with a colour and a note of their own in place of a camera and a microphone, so that
// whoever receives them can tell whose picture and whose sound has come: the browsers' fake devices
// look and sound the same for everybody. What is sent, and all the way it goes, is real.
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */
/** @typedef {{note: number, colour?: [number, number, number]}} Own `note` in Hz; without a colour, the picture is the camera's */

/** Before the page is opened. @param {Person} person @param {Own} own */
export async function brings(person, own) {
  if (person.page.addInitScript) await person.page.addInitScript(ownMedia, own);
  else await person.page.evaluateOnNewDocument(ownMedia, own);
  return person;
}

/** Runs in the page. @param {Own} own */
function ownMedia({ colour, note }) {
  if (!navigator.mediaDevices) return; // a blank page
  const devices = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async ({ audio, video } = {}) => {
    const stream = video && !colour ? await devices({ video }) : new MediaStream();
    if (video && colour) stream.addTrack(picture(colour));
    if (audio) stream.addTrack(sound(note));
    return stream;
  };

  /** @param {[number, number, number]} of */
  function picture([red, green, blue]) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let turn = 0;
    const draw = () => {
      drawing.fillStyle = `rgb(${red} ${green} ${blue})`;
      drawing.fillRect(0, 0, 160, 120);
      // Something that moves, at the edge.
      drawing.fillStyle = 'white';
      drawing.fillRect((turn = (turn + 8) % 160), 0, 8, 8);
    };
    draw();
    setInterval(draw, 200);
    return /** @type {MediaStreamTrack} */ (canvas.captureStream(5).getVideoTracks()[0]);
  }

  /** @param {number} frequency */
  function sound(frequency) {
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(new GainNode(context, { gain: 0.2 })).connect(out);
    tone.start();
    return /** @type {MediaStreamTrack} */ (out.stream.getAudioTracks()[0]);
  }
}

/**
 * What has come from each of the others, by name: the colour in the middle of their tile, frames
 * decoded, and the energy of their sound.
 * @param {Person} person
 * @returns {Promise<Record<string, {colour: number[], frames: number, energy: number}>>}
 */
export function fromEach(person) {
  return person.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 4, height: 4 });
    const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    /** @type {Record<string, {colour: number[], frames: number, energy: number}>} */
    const all = {};
    for (const { key, name, pc } of /** @type {any} */ (window).talkie.peers) {
      const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(`[data-testid="tile"][data-kind="camera"][data-peer="${key}"] video`));
      let colour = [0, 0, 0];
      if (video?.videoWidth) {
        drawing.drawImage(video, video.videoWidth / 4, video.videoHeight / 4, video.videoWidth / 2, video.videoHeight / 2, 0, 0, 4, 4);
        colour = [...drawing.getImageData(1, 1, 1, 1).data.slice(0, 3)];
      }
      const sum = { frames: 0, energy: 0 };
      for (const report of (await pc?.getStats())?.values() ?? []) {
        if (report.type !== 'inbound-rtp') continue;
        sum.frames += report.framesDecoded ?? 0;
        sum.energy += report.totalAudioEnergy ?? 0;
      }
      all[name] = { colour, ...sum };
    }
    return all;
  });
}

/** What an encoder makes of a colour is a little off. */
const TOLERANCE = 40;

/**
 * Waits until everybody's picture is theirs and moves on, and everybody's sound has energy.
 * @param {Person} person
 * @param {Record<string, Own>} others by name
 */
export async function getsFromEach(person, others) {
  const before = await fromEach(person);
  await until(`${person.name} sees and hears ${Object.keys(others).join(', ')}`, async () => {
    const now = await fromEach(person);
    const wrong = Object.entries(others).filter(([name, { colour }]) => {
      const come = now[name];
      // A connection that was replaced begins to count anew.
      if (come && come.frames < (before[name]?.frames ?? 0)) before[name] = { ...come, frames: 0, energy: 0 };
      const was = before[name] ?? { frames: 0, energy: 0 };
      const right = come?.colour.every((part, at) => Math.abs(part - Number(colour?.[at])) < TOLERANCE);
      return !come || !right || come.frames < was.frames + 3 || come.energy < was.energy + 1e-3;
    });
    if (wrong.length === 0) return true;
    throw new Error(wrong.map(([name]) => `${name}: ${JSON.stringify(before[name])}, now ${JSON.stringify(now[name])}`).join('; '));
  });
}
