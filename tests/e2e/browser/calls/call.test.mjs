// A call between Chromium browsers that reach each other directly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, hearsNothing, moves, pairs } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import {
  enter, handsOver, meets, newRoom, OTHERS, OTHERS_SCREEN, readsInChat, say,
} from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

/** @param {string} query */
async function twoInARoom(query = '') {
  const ada = await company.chromium('Ada');
  const grace = await company.chromium('Grace');
  const room = newRoom();
  await enter(ada, company.server.local, room, query);
  await enter(grace, company.server.local, room, query);
  await meets(ada, 1);
  await meets(grace, 1);
  return { ada, grace, room };
}

test('two people see, hear and read each other', async () => {
  const { ada, grace } = await twoInARoom();
  for (const person of [ada, grace]) {
    await moves(person, `${OTHERS} video`);
    await hears(person);
  }
  await ada.reads(`${OTHERS} ${id('tile-name')}`, 'Grace');
  await grace.reads(`${OTHERS} ${id('tile-name')}`, 'Ada');
  await ada.reads(id('people'), '2 people');
  await until('both say that they are connected directly', async () => {
    return (await ada.attribute(OTHERS, 'data-badge')) === 'direct' && (await grace.attribute(OTHERS, 'data-badge')) === 'direct';
  });

  await say(ada, 'Hello <b>Grace</b> 👋');
  await readsInChat(grace, 'Hello <b>Grace</b> 👋');
  await say(grace, 'Hello Ada');
  await readsInChat(ada, 'Hello Ada');
  await goHome(ada, grace);
});

test('a file of 50 MB arrives as it was sent', async () => {
  const { ada, grace } = await twoInARoom('nomedia');
  await handsOver(ada, grace, 50_000_000);
  await goHome(ada, grace);
});

test('a shared screen is seen beside its owner, and goes again', async () => {
  const { ada, grace } = await twoInARoom();
  await ada.click(id('screen'));
  await grace.sees(OTHERS_SCREEN);
  await moves(grace, `${OTHERS_SCREEN} video`);
  await moves(grace, `${OTHERS} video`);
  await ada.click(id('screen'));
  await until('the screen is gone', async () => (await grace.count(OTHERS_SCREEN)) === 0);
  await goHome(ada, grace);
});

test('who is muted is not heard, and is marked', async () => {
  const { ada, grace } = await twoInARoom();
  await hears(grace);
  await ada.click(id('mic'));
  await until('Grace sees that Ada is muted', async () => (await grace.attribute(OTHERS, 'data-mic')) === 'false');
  await hearsNothing(grace);
  await hears(ada);
  await ada.click(id('mic'));
  await hears(grace);
  await until('the mark is gone', async () => (await grace.attribute(OTHERS, 'data-mic')) === 'true');
  await goHome(ada, grace);
});

test('a camera that is off shows no picture, and comes back', async () => {
  const { ada, grace } = await twoInARoom();
  await moves(grace, `${OTHERS} video`);
  await ada.click(id('camera'));
  await until('the picture is gone', async () => (await grace.attribute(OTHERS, 'data-picture')) === 'false');
  await ada.click(id('camera'));
  await until('the picture is back', async () => (await grace.attribute(OTHERS, 'data-picture')) === 'true');
  await moves(grace, `${OTHERS} video`);
  await goHome(ada, grace);
});

test('three people are all connected with each other', async () => {
  const { ada, grace, room } = await twoInARoom();
  const joan = await company.chromium('Joan');
  await enter(joan, company.server.local, room);
  for (const person of [ada, grace, joan]) {
    await meets(person, 2);
    for (const at of [1, 2]) await moves(person, `${OTHERS}:nth-of-type(${at}) video`);
    await hears(person);
  }
  await goHome(joan);
  await meets(ada, 1);
  await goHome(ada, grace);
});

test('who opens no device is still seen by name and reads along', async () => {
  const ada = await company.chromium('Ada');
  const grace = await company.chromium('Grace');
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await enter(grace, company.server.local, room, 'nomedia');
  await meets(ada, 1);
  await moves(grace, `${OTHERS} video`);
  await say(grace, 'I only listen');
  await readsInChat(ada, 'I only listen');
  assert.equal(await ada.attribute(OTHERS, 'data-picture'), 'false');
  await goHome(ada, grace);
});

test('addresses hidden behind mDNS names are no hindrance', async () => {
  // Chromium hides the addresses of whoever did not let the page use a device.
  const options = { browser: { realPermissions: true } };
  const ada = await company.chromium('Ada', options);
  const grace = await company.chromium('Grace', options);
  const joan = await company.chromium('Joan');
  const room = newRoom();
  for (const person of [ada, grace]) await enter(person, company.server.local, room, 'nomedia');
  await enter(joan, company.server.local, room);
  for (const person of [ada, grace]) {
    await meets(person, 2);
    await moves(person, `${OTHERS}[data-picture="true"] video`);
    await hears(person);
  }
  await say(ada, 'you do not know where I am');
  await readsInChat(grace, 'you do not know where I am');
  // The point of the test: what was sent to the other side names no address.
  const sent = await ada.evaluate(() => {
    const [connection] = /** @type {any} */ (window).talkieConnections;
    return /** @type {string} */ (connection.localDescription.sdp);
  });
  const candidates = sent.split('\n').filter((line) => line.includes('typ host'));
  assert.ok(candidates.length > 0);
  for (const candidate of candidates) assert.match(candidate, /\.local \d+ typ host/);
  for (const pair of await pairs(ada)) assert.notEqual(pair.local, 'relay');
  await goHome(ada, grace, joan);
});
