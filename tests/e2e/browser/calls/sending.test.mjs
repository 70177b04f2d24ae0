// What goes out: the uplink shared among the peers, the codec somebody prefers, and hold.
// Runs alone: it measures rates.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves, received } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @typedef {{camera: any, mic: any, screen: any}} Parameters */

const company = Company.gather();
/** @type {Person} */ let ada;
/** @type {Person} */ let mitchell;
/** @type {string} */ let room;

before(async () => {
  ada = await company.chromium('Ada');
  mitchell = await company.firefox('Mitchell');
  room = newRoom();
  // Ada is there first: hers is the side that has to ask for an offer.
  for (const person of [ada, mitchell]) await enter(person, company.server.network, room);
  for (const person of [ada, mitchell]) await meets(person, 1);
});
after(() => goHome(ada, mitchell));

/** What is set on the senders, a list of peers. @param {Person} person @returns {Promise<Parameters[]>} */
const parameters = (person) =>
  person.evaluate(() => /** @type {any} */ (window).talkie.peers.map((/** @type {any} */ { pc }) => {
    const [mic, camera, screen] = pc.getTransceivers().map((/** @type {RTCRtpTransceiver} */ t) => t.sender.getParameters().encodings[0] ?? {});
    return { mic, camera, screen };
  }));

/** Waits until these kbit/s are set for every peer. @param {Person} person @param {string} what @param {number} camera @param {number} screen */
const pictures = (person, what, camera, screen) => until(what, async () => {
  const set = (await parameters(person)).map((sent) => [sent.camera.maxBitrate / 1000, sent.screen.maxBitrate / 1000]);
  if (set.length > 0 && set.every((one) => one[0] === camera && one[1] === screen)) return true;
  throw new Error(`${JSON.stringify(set)} instead of ${camera} and ${screen}`);
});

/** @param {Person} person @param {Record<string, unknown>} patch */
async function prefers(person, patch) {
  await person.evaluate(async (wanted) => {
    const path = '/app/preferences.js';
    (await import(path)).prefer(wanted);
  }, patch);
}

/** The codec of the camera that comes in. @param {Person} person */
const receivedCodec = (person) =>
  person.evaluate(async () => {
    const [{ pc }] = /** @type {any} */ (window).talkie.peers;
    const all = [...(await pc.getStats()).values()];
    const busiest = all.filter((s) => s.type === 'inbound-rtp' && s.kind === 'video').sort((a, b) => b.bytesReceived - a.bytesReceived)[0];
    return String(all.find((s) => s.id === busiest?.codecId)?.mimeType ?? '');
  });

test('three people share their uplinks out, in Chromium and in Firefox', async () => {
  await prefers(ada, { maxBitrate: 2000 });
  await until('one peer gets nearly all of it', async () => (await parameters(ada)).every(({ camera, mic }) => camera.maxBitrate === 1_960_000 && mic.maxBitrate === 40_000));

  const joan = await company.chromium('Joan');
  await enter(joan, company.server.network, room);
  await meets(joan, 2);
  await until('two peers get half each', async () => {
    const sent = await parameters(ada);
    return sent.length === 2 && sent.every(({ camera }) => camera.maxBitrate === 960_000 && camera.scaleResolutionDownBy > 1);
  });
  await until('Firefox does the same', async () => {
    const sent = await parameters(mitchell);
    return sent.length === 2 && sent.every(({ camera, mic }) => camera.maxBitrate === 2_460_000 && mic.maxBitrate === 40_000);
  });
  await prefers(mitchell, { maxHeight: 360 });
  await until('the cap on lines reaches the others', () => joan.evaluate(async () => {
    const peer = /** @type {any} */ (window).talkie.peers.find((/** @type {any} */ p) => p.name === 'Mitchell');
    const all = [...(await peer.pc.getStats()).values()];
    return all.some((s) => s.type === 'inbound-rtp' && s.kind === 'video' && s.frameHeight > 0 && s.frameHeight <= 360);
  }));

  await ada.click(id('screen'));
  await until('Ada shares her screen', () => ada.evaluate(() => 'screen' in /** @type {any} */ (window).talkie.tracks));
  // Whether the screen comes with sound depends on the machine; sound is paid first.
  const sound = (await ada.evaluate(() => 'screenAudio' in /** @type {any} */ (window).talkie.tracks)) ? 64 : 0;
  await pictures(ada, 'the camera yields to the screen', (1000 - 40 - sound) / 4, ((1000 - 40 - sound) * 3) / 4);
  await goHome(joan);
  await pictures(ada, 'who stays gets more', (2000 - 40 - sound) / 4, ((2000 - 40 - sound) * 3) / 4);
  await ada.click(id('screen'));
  for (const person of [ada, mitchell]) await prefers(person, { maxBitrate: 0, maxHeight: 360 });
});

test('a preferred codec is what comes in, and where it is missing the call goes on', async () => {
  // Both change at once.
  await Promise.all([prefers(ada, { videoCodec: 'vp9' }), prefers(mitchell, { videoCodec: 'av1' })]);
  for (const [person, codec] of /** @type {const} */ ([[ada, 'video/VP9'], [mitchell, 'video/AV1']])) {
    await until(`${person.name} receives ${codec}`, async () => {
      const comes = await receivedCodec(person);
      if (comes === codec) return true;
      throw new Error(`it is ${comes}`);
    });
    await moves(person, `${OTHERS} video`);
  }
  await prefers(ada, { videoCodec: 'h264' });
  await until('without H.264 over there, something else comes', async () => !/AV1|H264/.test(await receivedCodec(ada)));
  await moves(ada, `${OTHERS} video`);
});

test('on hold nothing flows, both can hold, and resuming restores it', async () => {
  await holds(ada);
  await mitchell.reads(`${OTHERS} .tile-phase`, 'On hold');
  for (const person of [ada, mitchell]) await nothingComes(person);
  assert.deepEqual(await directions(mitchell), ['inactive', 'inactive', 'inactive', 'inactive']);

  await holds(mitchell);
  await ada.reads(`${OTHERS} .tile-phase`, 'On hold');
  await holds(ada);
  for (const person of [ada, mitchell]) await nothingComes(person);
  await holds(mitchell);
  await until('all is agreed on again', async () => (await directions(ada)).every((direction) => direction === 'sendrecv'));
  for (const person of [ada, mitchell]) {
    await moves(person, `${OTHERS} video`);
    await hears(person);
  }
});

/** Puts the call on hold, or resumes it. @param {Person} person */
async function holds(person) {
  for (const button of ['more', 'hold']) {
    await person.sees(id(button));
    await person.evaluate((s) => /** @type {HTMLElement} */ (document.querySelector(s)).click(), id(button));
  }
}

/** @param {Person} person @returns {Promise<(string|null)[]>} */
const directions = (person) =>
  person.evaluate(() => /** @type {any} */ (window).talkie.peers[0].pc.getTransceivers().map((/** @type {RTCRtpTransceiver} */ t) => t.currentDirection));

/** Waits until no media has come in for a second: of sound alone it is fifty packets. @param {Person} person */
async function nothingComes(person) {
  let last = await received(person);
  let since = Date.now();
  await until(`nothing comes in to ${person.name}`, async () => {
    const now = await received(person);
    if (now.bytes !== last.bytes) {
      last = now;
      since = Date.now();
    }
    return Date.now() - since > 1000;
  });
}
