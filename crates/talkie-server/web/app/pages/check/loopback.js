/**
 * A call of the page with itself: two connections that meet through the chosen relay, or directly, with
 * sound, pictures and data. No device is needed: an oscillator and a canvas are the sources. Measures
 * round trips, loss, jitter and throughput, for some seconds and some megabytes at most.
 * @module
 */
import { borrowContext } from '../../media/audio-context.js';
import { readPath } from '../../peer/badge.js';
import { inbound, megabits, trips } from './meter.js';
import { iceServer } from './servers.js';

/** @import {Inbound, Ping, Trips} from './meter.js' */
/** @import {Server} from './servers.js' */
/** @import {PeerPath} from '../../types.js' */
/** @typedef {'connecting'|'pinging'|'filling'} Phase */
/**
 * @typedef {object} Measured
 * @property {string|null} url of the relay; null: direct
 * @property {number} connectMs
 * @property {PeerPath|null} path
 * @property {Ping[]} pings
 * @property {Trips|null} trips
 * @property {Inbound|null} audio
 * @property {Inbound|null} video
 * @property {number} bytes
 * @property {number} rate Mbit/s
 */

const CONNECT_WITHIN_MS = 20_000;
const PING_FOR_MS = 3000;
const PING_EVERY_MS = 50;
/** After the last ping: what is not back by then is lost. */
const LATEST_MS = 1000;
const FILL_FOR_MS = 5000;
const FILL_BYTES = 16e6;
const CHUNK = new Uint8Array(16_384);
const HIGH_WATER = 1_048_576;

/** What went wrong, as a key of the words. */
export class LoopbackFailed extends Error {
  /** @param {'noConnection'|'cancelled'|'closed'} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {{server: Server|null, signal: AbortSignal, phase: (phase: Phase) => void, ping: (ping: Ping) => void}} how
 * @returns {Promise<Measured>}
 */
export async function measureLoopback({ server, signal, phase, ping }) {
  const configuration = /** @type {RTCConfiguration} */ (server ? { iceServers: [iceServer(server)], iceTransportPolicy: 'relay' } : {});
  const here = new RTCPeerConnection(configuration);
  const there = new RTCPeerConnection(configuration);
  const sources = testSources();
  const stopped = new Promise((_, reject) => signal.addEventListener('abort', () => reject(new LoopbackFailed('cancelled'))));
  stopped.catch(() => {});
  /** @template T @param {Promise<T>} work @returns {Promise<T>} */
  const unlessStopped = (work) => /** @type {Promise<T>} */ (Promise.race([work, stopped]));
  try {
    for (const track of sources.tracks) here.addTrack(track);
    const pings = here.createDataChannel('ping', { ordered: false, maxRetransmits: 0 });
    const fill = here.createDataChannel('fill');
    const filled = farSide(there);
    phase('connecting');
    const connectMs = await unlessStopped(connect(here, there, [pings, fill]));
    phase('pinging');
    const { back, sent } = await unlessStopped(exchangePings(pings, ping, signal));
    // Before the channel is filled: media would suffer from that, as it would beside any download.
    const [stats, path] = [[...(await there.getStats()).values()], readPath((await here.getStats()).values())];
    phase('filling');
    const { bytes, ms } = await unlessStopped(fillChannel(fill, filled, signal));
    return {
      url: server?.url ?? null, connectMs, path, pings: back, trips: trips(back, sent),
      audio: inbound(stats, 'audio'), video: inbound(stats, 'video'), bytes, rate: megabits(bytes, ms),
    };
  } finally {
    here.close();
    there.close();
    sources.stop();
  }
}

/** A moving picture and a tone. */
function testSources() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 360];
  const drawing = canvas.getContext('2d');
  let frame = 0;
  const draw = () => {
    if (!drawing) return;
    frame += 1;
    drawing.fillStyle = `hsl(${(frame * 7) % 360} 60% 50%)`;
    drawing.fillRect(0, 0, 640, 360);
    drawing.fillStyle = '#fff';
    drawing.fillRect((frame * 13) % 640, 120, 80, 120);
  };
  draw();
  const timer = setInterval(draw, 66);
  const { context, release } = borrowContext();
  const tone = new OscillatorNode(context, { frequency: 440 });
  const out = context.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  const tracks = [...canvas.captureStream(15).getVideoTracks(), ...out.stream.getAudioTracks()];
  return {
    tracks,
    stop() {
      clearInterval(timer);
      tone.stop();
      for (const track of tracks) track.stop();
      release();
    },
  };
}

/** Echoes pings and counts what fills. @param {RTCPeerConnection} there */
function farSide(there) {
  const filled = { bytes: 0, first: 0, last: 0 };
  there.ondatachannel = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => {
      if (channel.label === 'ping') return void (channel.readyState === 'open' && channel.send(data));
      filled.last = performance.now();
      filled.first ||= filled.last;
      filled.bytes += data.byteLength;
    };
  };
  return filled;
}

/** @param {RTCPeerConnection} here @param {RTCPeerConnection} there @param {RTCDataChannel[]} channels @returns {Promise<number>} ms until both channels were open */
async function connect(here, there, channels) {
  const began = performance.now();
  const flush = [trickle(here, there), trickle(there, here)];
  await here.setLocalDescription();
  await there.setRemoteDescription(/** @type {RTCSessionDescription} */ (here.localDescription));
  await there.setLocalDescription();
  await here.setRemoteDescription(/** @type {RTCSessionDescription} */ (there.localDescription));
  for (const deliver of flush) deliver();
  const open = channels.map((channel) => new Promise((done) => (channel.readyState === 'open' ? done(null) : (channel.onopen = done))));
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new LoopbackFailed('noConnection')), CONNECT_WITHIN_MS);
    here.onconnectionstatechange = () => here.connectionState === 'failed' && reject(new LoopbackFailed('noConnection'));
  });
  try {
    await Promise.race([Promise.all(open), late]);
  } finally {
    clearTimeout(timer);
  }
  return Math.round(performance.now() - began);
}

/** Hands candidates over, those that come before the description once it is there. @param {RTCPeerConnection} from @param {RTCPeerConnection} to */
function trickle(from, to) {
  /** @type {RTCIceCandidate[]} */
  const waiting = [];
  const deliver = () => {
    for (const candidate of waiting.splice(0)) void to.addIceCandidate(candidate).catch(() => {});
  };
  from.onicecandidate = ({ candidate }) => {
    if (candidate) waiting.push(candidate);
    if (to.remoteDescription) deliver();
  };
  return deliver;
}

/** @param {RTCDataChannel} channel @param {(ping: Ping) => void} came @param {AbortSignal} signal @returns {Promise<{back: Ping[], sent: number}>} */
async function exchangePings(channel, came, signal) {
  const began = performance.now();
  /** @type {Ping[]} */
  const back = [];
  let sent = 0;
  channel.onmessage = ({ data }) => {
    const at = Number(data);
    if (!Number.isFinite(at)) return;
    const one = { at, rtt: performance.now() - began - at };
    back.push(one);
    came(one);
  };
  while (performance.now() - began < PING_FOR_MS && !signal.aborted && channel.readyState === 'open') {
    channel.send(String(performance.now() - began));
    sent += 1;
    await pause(PING_EVERY_MS);
  }
  for (let waited = 0; waited < LATEST_MS && back.length < sent && !signal.aborted; waited += PING_EVERY_MS) await pause(PING_EVERY_MS);
  return { back, sent };
}

/** @param {RTCDataChannel} channel @param {{bytes: number, first: number, last: number}} filled @param {AbortSignal} signal */
async function fillChannel(channel, filled, signal) {
  const began = performance.now();
  let sent = 0;
  channel.bufferedAmountLowThreshold = HIGH_WATER / 4;
  const timeLeft = () => performance.now() - began < FILL_FOR_MS && !signal.aborted && channel.readyState === 'open';
  while (sent < FILL_BYTES && timeLeft()) {
    if (channel.bufferedAmount > HIGH_WATER) {
      await Promise.race([new Promise((low) => (channel.onbufferedamountlow = low)), pause(250)]);
    } else {
      channel.send(CHUNK);
      sent += CHUNK.byteLength;
    }
  }
  while (filled.bytes < sent && timeLeft()) await pause(20);
  // The first chunk starts the clock, so it does not count.
  return { bytes: filled.bytes, ms: filled.bytes > CHUNK.byteLength ? ((filled.last - filled.first) * filled.bytes) / (filled.bytes - CHUNK.byteLength) : 0 };
}

/** @param {number} ms */
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
