// What has really arrived: pictures that move, sound with energy in it, and the way it came.
// Everything here runs against a `Person`'s page, in either browser.
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */
/** @typedef {{video: number, audio: number, energy: number, bytes: number}} Received */
/** @typedef {{local: string, remote: string, protocol: string, relay: string|null, address: string}} Pair */

/**
 * Sums over everything that the page's connections receive.
 * @param {Person} person
 * @returns {Promise<Received>}
 */
export function received(person) {
  return person.evaluate(async () => {
    const sum = { video: 0, audio: 0, energy: 0, bytes: 0 };
    for (const connection of /** @type {any} */ (window).talkieConnections) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== 'inbound-rtp') continue;
        sum.bytes += report.bytesReceived ?? 0;
        if (report.kind === 'video') sum.video += report.framesDecoded ?? 0;
        if (report.kind === 'audio') {
          sum.audio += report.packetsReceived ?? 0;
          sum.energy += report.totalAudioEnergy ?? 0;
        }
      }
    }
    return sum;
  });
}

/**
 * Waits until a video element shows one picture after the other. (Firefox's fake camera makes frames
 * of one colour, a little different each, so there is nothing to ask of a single picture.)
 * @param {Person} person
 * @param {string} selector of the video element
 * @param {{received?: boolean}} [from] received: false for one's own camera
 */
export async function moves(person, selector, { received: fromOthers = true } = {}) {
  const before = fromOthers ? await received(person) : null;
  const pictures = new Set();
  await until(`${person.name} sees ${selector} move`, async () => {
    const picture = await person.evaluate(sample, selector);
    if (picture) pictures.add(picture);
    return pictures.size >= 4;
  });
  if (!before) return;
  await until(`${person.name} has decoded video frames`, async () => {
    return (await received(person)).video >= before.video + 10;
  });
}

/**
 * A number that stands for what the video shows at present; null when it shows nothing.
 * @param {string} selector
 */
function sample(selector) {
  const video = document.querySelector(selector);
  if (!(video instanceof HTMLVideoElement) || video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  if (!drawing) return null;
  drawing.drawImage(video, 0, 0, 64, 48);
  const { data } = drawing.getImageData(0, 0, 64, 48);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) {
    sum = (sum * 31 + data[at] * 7 + data[at + 1] * 3 + data[at + 2]) % 1_000_000_007;
  }
  return sum;
}

/** Waits until sound with energy in it has arrived. @param {Person} person */
export async function hears(person) {
  const before = await received(person);
  await until(`${person.name} hears something`, async () => {
    return (await received(person)).energy > before.energy + 1e-4;
  });
}

/**
 * Waits until no energy has come in for as long as the fake microphones need for two of their beeps.
 * @param {Person} person
 */
export async function hearsNothing(person) {
  let last = await received(person);
  let since = Date.now();
  await until(`${person.name} hears nothing any more`, async () => {
    const now = await received(person);
    if (now.energy > last.energy + 1e-5) {
      last = now;
      since = Date.now();
    }
    return Date.now() - since > 2500;
  });
}

/**
 * The candidate pairs in use, one per connection.
 * @param {Person} person
 * @returns {Promise<Pair[]>}
 */
export function pairs(person) {
  return person.evaluate(async () => {
    const pairs = [];
    for (const connection of /** @type {any} */ (window).talkieConnections) {
      if (connection.connectionState !== 'connected') continue;
      const stats = await connection.getStats();
      const all = [...stats.values()];
      const transport = all.find((report) => report.type === 'transport');
      const pair =
        stats.get(transport?.selectedCandidatePairId) ??
        all.find((report) => report.type === 'candidate-pair' && report.selected);
      if (!pair) continue;
      const local = stats.get(pair.localCandidateId);
      const remote = stats.get(pair.remoteCandidateId);
      pairs.push({
        local: local.candidateType,
        remote: remote.candidateType,
        protocol: local.protocol,
        relay: local.relayProtocol ?? null,
        address: `${local.address ?? ''}`,
      });
    }
    return pairs;
  });
}
