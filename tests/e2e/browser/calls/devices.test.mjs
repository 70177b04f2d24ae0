// Cameras, microphones and speakers: chosen, switched in a call, pulled out and plugged in again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { closeSettings, inUse, offers, openSettings, pick, uses } from '../harness/settings.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** The second of Chromium's fake cameras takes depth, which no encoder does; the third one is a camera again. */
const THREE = { args: ['--use-fake-device-for-media-stream=device-count=3'] };

/** What a renegotiation would change. @param {Person} person */
const negotiated = (person) => person.evaluate(() => /** @type {any} */ (window).talkie.peers[0].pc.localDescription.sdp.split('\n')[1]);

/** @param {Person} person @param {string} testid @param {string} attribute @param {string} value */
const shows = (person, testid, attribute, value) =>
  until(`${testid} has ${attribute} ${value}`, async () => (await person.attribute(id(testid), attribute)) === value);

/** Lets the page find other devices than there are, as if some were pulled out. @param {Person} person @param {string[]} gone their ids */
function unplug(person, gone) {
  return person.evaluate((ids) => {
    const page = /** @type {any} */ (window);
    page.realDevices ??= navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    navigator.mediaDevices.enumerateDevices = async () => (await page.realDevices()).filter((/** @type {MediaDeviceInfo} */ device) => !ids.includes(device.deviceId));
    for (const track of Object.values(page.talkie.captured)) {
      if (!track || !ids.includes(/** @type {MediaStreamTrack} */ (track).getSettings().deviceId ?? '')) continue;
      /** @type {MediaStreamTrack} */ (track).dispatchEvent(new Event('ended'));
    }
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  }, gone);
}

/** @type {Person} */ let ada;
/** @type {Person} */ let grace;
/** What Ada has chosen. */
const chosen = { mic: '', camera: '' };

before(async () => {
  ada = await company.chromium('Ada', { browser: THREE });
  grace = await company.chromium('Grace', { browser: THREE });
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await enter(grace, company.server.local, room);
  for (const person of [ada, grace]) await meets(person, 1);
  await moves(grace, `${OTHERS} video`);
});
after(() => goHome(ada, grace));

test('camera, microphone and speaker are switched in the call, and kept', async () => {
  const before = await negotiated(ada);
  const first = await ada.evaluate(() => Object.values(/** @type {any} */ (window).talkie.tracks).map((track) => track.id));
  await openSettings(ada, 'video');
  const [, , camera = ''] = await offers(ada, id('camera-picker'), 3);
  await pick(ada, id('camera-picker'), camera);
  await uses(ada, 'camera', camera);
  await moves(ada, id('settings-preview'), { received: false });
  await ada.click(id('tab-audio'));
  const [, mic = ''] = await offers(ada, id('mic-picker'), 2);
  await pick(ada, id('mic-picker'), mic);
  await uses(ada, 'mic', mic);
  const [, speaker = ''] = await offers(ada, id('speaker-picker'), 2);
  await pick(ada, id('speaker-picker'), speaker);
  await until('Grace is heard there', () => ada.evaluate(([s, sink]) => /** @type {HTMLAudioElement} */ (document.querySelector(`${s} audio`)).sinkId === sink, [OTHERS, speaker]));
  await closeSettings(ada);

  const second = await ada.evaluate(() => Object.values(/** @type {any} */ (window).talkie.tracks).map((track) => track.id));
  assert.equal(second.filter((one) => first.includes(one)).length, 0, 'other tracks go out');
  assert.equal(await negotiated(ada), before, 'nothing was negotiated anew');
  await moves(grace, `${OTHERS} video`);
  await hears(grace);

  await ada.page.reload();
  await meets(ada, 1);
  await uses(ada, 'camera', camera);
  await uses(ada, 'mic', mic);
  await until('Grace is heard there again', () => ada.evaluate(([s, sink]) => /** @type {HTMLAudioElement} */ (document.querySelector(`${s} audio`))?.sinkId === sink, [OTHERS, speaker]));
  Object.assign(chosen, { mic, camera });
});

test('a device that is pulled out is replaced, and taken again when it is back', async () => {
  const { mic, camera } = chosen;
  await unplug(ada, [mic]);
  await ada.reads('#toasts', 'Fake Audio Input 2 is gone; Fake');
  await until('another is used', async () => ![null, mic].includes(await inUse(ada, 'mic')));
  await hears(grace);
  await unplug(ada, []);
  await ada.reads('#toasts', 'Fake Audio Input 2 is there and in use');
  await uses(ada, 'mic', mic);

  await unplug(ada, [camera]);
  await ada.reads('#toasts', 'fake_device_2 is gone; fake_device_0');
  await moves(grace, `${OTHERS} video`);
  await unplug(ada, []);
  await uses(ada, 'camera', camera);
  await moves(grace, `${OTHERS} video`);
});

test('processing is switched in the call, and leaving gives all back', async () => {
  await openSettings(ada, 'audio');
  const settings = () => ada.evaluate(() => {
    const { echoCancellation, noiseSuppression, autoGainControl } = /** @type {any} */ (window).talkie.captured.mic?.getSettings() ?? {};
    return [echoCancellation, noiseSuppression, autoGainControl].join();
  });
  assert.equal(await settings(), 'true,true,true');
  for (const [name, then] of [['noiseSuppression', 'true,false,true'], ['autoGainControl', 'true,false,false'], ['echoCancellation', 'false,false,false'], ['noiseSuppression', 'false,true,false']]) {
    await ada.click(id(`${name}`));
    await until(`${name}: ${then}`, async () => {
      const now = await settings();
      if (now === then) return true;
      throw new Error(now);
    });
  }
  await closeSettings(ada);

  const left = await ada.evaluate(() => {
    const page = /** @type {any} */ (window);
    page.kept = Object.values(page.talkie.captured);
    return page.kept.length;
  });
  assert.equal(left, 2);
  await ada.click(id('leave'));
  await until('all tracks are stopped', () => ada.evaluate(() => /** @type {any} */ (window).kept.every((/** @type {MediaStreamTrack} */ track) => track.readyState === 'ended')));
});

test('what the lobby shows: level, speaker test, and how one went in last time', async () => {
  const joan = await company.chromium('Joan', { browser: THREE });
  const address = `${company.server.local}/r/${newRoom()}`;
  await joan.open(address);
  let highest = 0;
  await until('the level moves, up and down', async () => {
    const level = Number(await joan.attribute(id('level'), 'data-level'));
    highest = Math.max(highest, level);
    if (highest > 20 && level < highest - 10) return true;
    throw new Error(`${level}, at most ${highest}`);
  });
  await joan.click(id('speaker-test'));
  await shows(joan, 'speaker-test', 'data-state', 'playing');
  await shows(joan, 'speaker-test', 'data-state', 'idle');
  await shows(joan, 'mic', 'data-state', 'on');
  await joan.click(id('mic'));
  await joan.click(id('camera'));
  await joan.open(address);
  await shows(joan, 'mic', 'data-state', 'off');
  await shows(joan, 'camera', 'data-state', 'off');
  assert.equal(await inUse(joan, 'camera'), null, 'the camera stayed dark');
  await until('a muted person sees their level', async () => Number(await joan.attribute(id('level'), 'data-level')) > 20);

  await joan.click(id('enter'));
  await joan.sees(id('room'));
  await joan.reads('#toasts', 'You are muted');
  await joan.press(' ');
  await joan.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await joan.page.keyboard.down(' ');
  await shows(joan, 'mic', 'data-state', 'on');
  await joan.page.keyboard.up(' ');
  await shows(joan, 'mic', 'data-state', 'off');
  await joan.click(id('leave'));
  await until('no audio context is left', () => joan.evaluate(() => /** @type {any} */ (window).talkie.audioContexts === 0));
  await goHome(joan);
});
