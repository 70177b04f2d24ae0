// A room seen from Firefox, with Chromium on the other side: what other files try in Chromium alone.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, hearsNothing, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, linkTo, meets, newRoom, openPanel, OTHERS, OTHERS_SCREEN, OWN, say } from '../harness/room.mjs';
import { closeSettings, offers, openSettings, pick, uses } from '../harness/settings.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** @type {Person} */ let mitchell;
/** @type {Person} */ let ada;
/** @type {string} */ let room;

before(async () => {
  [mitchell, ada] = [await company.firefox('Mitchell'), await company.chromium('Ada')];
  room = newRoom();
});
after(() => goHome(mitchell, ada));

/** @param {Person} person @param {string} selector @param {string} name @param {string|null} value */
const says = (person, selector, name, value) =>
  until(`${person.name}'s ${selector} has ${name} ${value}`, async () => {
    const now = await person.attribute(selector, name);
    if (now === value) return true;
    throw new Error(`it is ${now}`);
  });

/** Presses what a pointer would have to hover over first. @param {Person} person @param {string} selector */
const press = (person, selector) => person.evaluate((s) => /** @type {HTMLElement} */ (document.querySelector(s)).click(), selector);

test('the lobby has picture, level and a speaker that can be tried', async () => {
  await enter(ada, company.server.network, room);
  await mitchell.open(linkTo(company.server.network, room));
  await mitchell.reads(id('lobby-inside'), '1 person is inside.');
  await moves(mitchell, id('preview'), { received: false });
  await until('the level moves', async () => Number(await mitchell.attribute(id('level'), 'data-level')) > 5);
  await mitchell.click(id('speaker-test'));
  await says(mitchell, id('speaker-test'), 'data-state', 'playing');
  await says(mitchell, id('speaker-test'), 'data-state', 'idle');
  await mitchell.fill(id('name'), mitchell.name);
  await mitchell.click(id('enter'));
  for (const person of [mitchell, ada]) await meets(person, 1);
  await moves(mitchell, `${OTHERS} video`);
});

test('Firefox raises its hand, reacts, writes, and talks while a key is held', async () => {
  await mitchell.press('r');
  await ada.reads(`${OTHERS} ${id('tile-hand')}`, '1');
  await mitchell.press('r');
  await mitchell.click(id('react'));
  await mitchell.click(id('react-5'));
  await ada.reads(id('announcer'), 'Mitchell: 🎉');
  for (const person of [ada, mitchell]) await openPanel(person, 'chat');
  await mitchell.fill(id('chat-input'), 'I am writing');
  await ada.reads(id('chat-typing'), 'Mitchell is writing');
  await mitchell.fill(id('chat-input'), '');
  await say(mitchell, 'said before Blake came');
  await ada.reads(id('chat-log'), 'said before Blake came');
  await mitchell.press('Escape');
  await mitchell.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());

  await mitchell.press('m');
  await says(ada, OTHERS, 'data-mic', 'false');
  await hearsNothing(ada);
  await mitchell.page.keyboard.down(' ');
  await says(ada, OTHERS, 'data-mic', 'true');
  await hears(ada);
  await mitchell.page.keyboard.up(' ');
  await says(ada, OTHERS, 'data-mic', 'false');
  await mitchell.press('m');
  await says(ada, OTHERS, 'data-mic', 'true');
});

test('a shared screen is seen in Firefox, large, and a pin holds against it', async () => {
  await ada.click(id('screen'));
  await moves(mitchell, `${OTHERS_SCREEN} video`);
  await says(mitchell, OTHERS_SCREEN, 'data-size', 'large');
  await press(mitchell, `${OWN} ${id('pin')}`);
  await says(mitchell, OWN, 'data-size', 'large');
  await press(mitchell, `${OWN} ${id('pin')}`);
  await says(mitchell, OTHERS_SCREEN, 'data-size', 'large');
  await ada.click(id('screen'));
  await until('the screen is gone', async () => (await mitchell.count(OTHERS_SCREEN)) === 0);
});

// Its fake microphone takes no notice of what the browser is to do to the voice.
test('devices and the cap on what is sent are set in the call', async () => {
  await openSettings(mitchell, 'audio');
  const [mic = ''] = await offers(mitchell, id('mic-picker'), 1);
  await pick(mitchell, id('mic-picker'), mic);
  await uses(mitchell, 'mic', mic);
  await mitchell.click(id('tab-video'));
  const [camera = ''] = await offers(mitchell, id('camera-picker'), 1);
  await pick(mitchell, id('camera-picker'), camera);
  await uses(mitchell, 'camera', camera);
  await mitchell.click(id('tab-sending'));
  await pick(mitchell, id('max-bitrate'), '500');
  await until('the camera gets what sound leaves', () => mitchell.evaluate(() => {
    const [, camera] = /** @type {any} */ (window).talkie.peers[0].pc.getTransceivers();
    return camera.sender.getParameters().encodings[0].maxBitrate === 460_000;
  }));
  await mitchell.reads(id('sending-share'), 'with up to');
  await closeSettings(mitchell);
  await moves(ada, `${OTHERS} video`);
  await hears(ada);
});

test('the connection is charted, restarted, exported and explained', async () => {
  await press(mitchell, `${OTHERS} ${id('badge')}`);
  await mitchell.reads(id('connection-figures'), /opus · [\d.]+ kbit\/s/i);
  await mitchell.click(id('chart-as-table'));
  await mitchell.reads(id('chart-table'), /\d+:\d+/);
  await mitchell.click(id('chart-as-table'));
  await mitchell.click(id('chart-pause'));
  await says(mitchell, id('chart-pause'), 'aria-pressed', 'true');
  await mitchell.click(id('ice-restart'));
  await mitchell.reads(id('connection-events'), 'ICE restart');
  for (const person of [mitchell, ada]) await meets(person, 1);

  await mitchell.click(id('export'));
  const { schema, peers } = await until('the file is there, whole', async () => {
    const name = (await readdir(mitchell.downloads)).find((one) => one.endsWith('.json')) ?? '';
    return JSON.parse(await readFile(join(mitchell.downloads, name), 'utf8'));
  });
  assert.equal(schema, 'talkie-call-statistics');
  assert.ok(peers[0].samples.length >= 3 && peers[0].samples.some((/** @type {any} */ s) => s.in.audio > 0));
  assert.doesNotMatch(JSON.stringify(peers), /198\.51\.100|2001:db8|\.local|"Ada"/);
  await mitchell.press('Escape');

  const reader = await company.firefox('Mitchell reads');
  await reader.open(`${company.server.network}/sdp`);
  await reader.click(id('sdp-ask'));
  await reader.reads(id('sdp-calls'), 'Call with Ada');
  await reader.click(id('sdp-peer'));
  await reader.reads(id('sdp-summary'), /^(Offer|Answer)/);
  await goHome(reader);
});

test('another Firefox comes later, reads what was said, and the two see and hear each other', async () => {
  const blake = await company.firefox('Blake');
  await enter(blake, company.server.network, room);
  for (const person of [blake, mitchell, ada]) await meets(person, 2);
  await openPanel(blake, 'chat');
  await blake.reads(id('chat-log'), 'said before Blake came');
  await blake.reads(id('chat-told'), 'as told by');
  await ada.click(id('leave'));
  for (const person of [blake, mitchell]) {
    await meets(person, 1);
    await moves(person, `${OTHERS} video`);
    await hears(person);
  }
  await goHome(blake);
});
