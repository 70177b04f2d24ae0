// Effects on one's own microphone, heard by the other side.
// Runs alone: it measures sound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, hearsNothing } from '../harness/media.mjs';
import { brings } from '../harness/own-media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';
import { closeSettings, loudness, openSettings, slide } from '../harness/settings.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

/** Whether what goes out is what the device gives. @param {Person} person */
const bare = (person) => person.evaluate(() => {
  const { tracks, captured } = /** @type {any} */ (window).talkie;
  return tracks.mic === captured.mic;
});

/** As loud all the time: what the browsers' fake microphones give comes in beeps. */
const VOICE = { note: 1000 };

/**
 * Waits until what she hears is so many times as loud: what was underway before is heard first.
 * @param {Person} grace
 * @param {number} plain
 * @param {number} factor of the energy
 * @param {string} what
 */
const isHeardAs = (grace, plain, factor, what) =>
  until(`${grace.name} hears ${what}`, async () => {
    const now = (await loudness(grace, 0.5)) / plain;
    if (now > factor / 1.3 && now < factor * 1.3) return true;
    throw new Error(`${now.toPrecision(3)} of the energy`);
  });

/**
 * 20 dB less is a hundredth of the energy; bypass brings it back.
 * @param {Person} ada who speaks
 * @param {Person} grace who hears
 */
async function lowersAndRestores(ada, grace) {
  // Automatic gain would level out what is to be measured.
  await ada.evaluate(() => localStorage.setItem('talkie-preferences', JSON.stringify({ autoGainControl: false, noiseSuppression: false, echoCancellation: false })));
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await enter(grace, company.server.local, room);
  await meets(grace, 1);
  await hears(grace);
  const plain = await loudness(grace, 0.5);
  assert.equal(await bare(ada), true, 'without effects the device’s own track goes out');

  await openSettings(ada, 'effects');
  await slide(ada, id('effect-gain'), -20);
  await ada.click(id('effects'));
  await until('another track goes out', async () => !(await bare(ada)));
  await isHeardAs(grace, plain, 0.01, '20 dB less');

  await slide(ada, id('effect-gain'), 0);
  await isHeardAs(grace, plain, 1, 'flat effects as none');

  await ada.click(id('effects'));
  await until('the device’s track goes out again', () => bare(ada));
  await isHeardAs(grace, plain, 1, 'what is bypassed');
  await closeSettings(ada);
}

test('effects change what the other side hears, muting and leaving included', async () => {
  const ada = await brings(await company.chromium('Ada'), VOICE);
  const grace = await company.chromium('Grace');
  await ada.open(company.server.local);
  await lowersAndRestores(ada, grace);

  await openSettings(ada, 'effects');
  const flat = await ada.attribute(`${id('curve')} .curve-line`, 'd');
  await ada.click(id('effects'));
  await slide(ada, id('effect-bass'), 12);
  await until('the curve is drawn anew', async () => (await ada.attribute(`${id('curve')} .curve-line`, 'd')) !== flat);
  assert.match(String(await ada.attribute(id('curve'), 'aria-label')), /\+1[0-2] dB at 100 Hz, 0 dB at 3 kHz/);
  await ada.click(id('listen'));
  await until('she hears herself', async () => (await ada.attribute(id('listen'), 'data-state')) === 'playing');
  await until('to the end', async () => (await ada.attribute(id('listen'), 'data-state')) === 'idle');
  await closeSettings(ada);

  assert.equal(await bare(ada), false);
  await hears(grace);
  await ada.click(id('mic'));
  await hearsNothing(grace);
  await ada.click(id('mic'));
  await hears(grace);

  await ada.evaluate(() => {
    const { captured, tracks } = /** @type {any} */ (window).talkie;
    /** @type {any} */ (window).kept = [captured.mic, captured.camera, tracks.mic];
  });
  await ada.click(id('leave'));
  await until('nothing runs on', () => ada.evaluate(() => {
    const page = /** @type {any} */ (window);
    return page.talkie.audioContexts === 0 && page.kept.every((/** @type {MediaStreamTrack} */ track) => track.readyState === 'ended');
  }));
  await goHome(ada, grace);
});

test('nothing leaves the limiter above full scale, and quiet sound passes as it is', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(company.server.local);
  /** @type {{amplitude: number, gain: number}[]} */
  const cases = [{ amplitude: 0.05, gain: 0 }, { amplitude: 1, gain: 20 }];
  const peaks = await ada.evaluate(async (all) => {
    const { effectChain } = await import(/** @type {any} */ ('/app/media/effects.js'));
    const found = [];
    for (const { amplitude, gain } of all) {
      const context = new OfflineAudioContext(1, 48_000, 48_000);
      const chain = effectChain(context, { bass: gain && 15, presence: 0, treble: gain && 15, gain });
      chain.output.connect(context.destination);
      const tone = new OscillatorNode(context, { frequency: 1000 });
      tone.connect(new GainNode(context, { gain: amplitude })).connect(chain.input);
      tone.start();
      const samples = (await context.startRendering()).getChannelData(0);
      found.push({ all: samples.reduce((peak, s) => Math.max(peak, Math.abs(s)), 0), later: samples.slice(24_000).reduce((peak, s) => Math.max(peak, Math.abs(s)), 0) });
    }
    return found;
  }, cases);
  assert.ok(Math.abs(Number(peaks[0]?.later) / 0.05 - 1) < 0.1, `quiet in, as quiet out: ${peaks[0]?.later}`);
  assert.ok(Number(peaks[1]?.all) < 1 && Number(peaks[1]?.later) > 0.5, `loud in, below full scale out: ${JSON.stringify(peaks[1])}`);
  await goHome(ada);
});

test('a Firefox with effects is heard by a Chromium as they say', async () => {
  const ada = await brings(await company.firefox('Ada'), VOICE);
  await ada.open(company.server.local);
  const grace = await company.chromium('Grace');
  await lowersAndRestores(ada, grace);
  await openSettings(ada, 'audio');
  await until('the level moves', async () => Number(await ada.attribute(id('level'), 'data-level')) > 5);
  await closeSettings(ada);
  await goHome(ada, grace);
});
