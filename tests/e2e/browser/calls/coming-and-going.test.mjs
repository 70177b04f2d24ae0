// Peers that come and go, and one that does nothing but talk: what stays behind in the page of who
// stays, and whether the others notice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** TALKIE_VISITS=50 asks for more; each takes some seconds. */
const TIMES = Number(process.env.TALKIE_VISITS ?? 10);

/** @param {Person} person with Chromium */
async function weigh(person) {
  const session = await person.page.context().newCDPSession(person.page);
  await session.send('Performance.enable');
  // What only the collector has not got to yet is no leak.
  for (let round = 0; round < 3; round += 1) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  /** @param {string} name */
  const metric = (name) => Number(metrics.find((/** @type {any} */ m) => m.name === name)?.value);
  return { heap: metric('JSHeapUsedSize'), listeners: metric('JSEventListeners'), nodes: metric('Nodes') };
}

/** The guest comes and goes. @param {Person} guest @param {Person} host @param {string} room */
async function visit(guest, host, room) {
  await enter(guest, company.server.local, room, 'nomedia');
  await until('the guest is connected', async () => (await host.attribute(OTHERS, 'data-state')) === 'connected', { every: 20 });
  await guest.page.goto('about:blank');
  await until('the guest is gone', async () => (await host.count(OTHERS)) === 0, { every: 20 });
}

test(`${TIMES} comings and goings leave nothing behind`, async (t) => {
  const [host, guest] = [await company.chromium('Ada'), await company.chromium('Grace')];
  const room = newRoom();
  await enter(host, company.server.local, room, 'nomedia');
  // The first few load what is loaded once.
  for (let n = 0; n < 5; n += 1) await visit(guest, host, room);
  // The harness's own list of connections would hold on to them.
  const forget = () => host.evaluate(() => {
    const page = /** @type {any} */ (window);
    const open = page.talkieConnections.filter((/** @type {RTCPeerConnection} */ pc) => pc.connectionState !== 'closed').length;
    page.talkieConnections.length = 0;
    return open;
  });
  assert.equal(await forget(), 0);
  const before = await weigh(host);
  for (let n = 0; n < TIMES; n += 1) await visit(guest, host, room);
  assert.equal(await forget(), 0, 'every connection is closed');
  assert.deepEqual(await host.evaluate(() => /** @type {any} */ (window).talkie.peers.length), 0);
  const after = await weigh(host);
  t.diagnostic(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
  // Some history of those who left is kept on purpose, for so many of them.
  assert.ok(after.heap - before.heap < 1_500_000, `the heap grew by ${after.heap - before.heap} bytes`);
  assert.ok(after.listeners - before.listeners < 40, `listeners: ${before.listeners}, then ${after.listeners}`);
  assert.ok(after.nodes - before.nodes < 200, `nodes: ${before.nodes}, then ${after.nodes}`);
  await goHome(host, guest);
});

test('who floods us is cut off with words, and the others go on', async () => {
  const [ada, grace, mallory] = [await company.chromium('Ada'), await company.chromium('Grace'), await company.chromium('Mallory')];
  const room = newRoom();
  for (const person of [ada, grace, mallory]) await enter(person, company.server.local, room, 'nomedia');
  await meets(ada, 2);
  await mallory.evaluate(() => {
    const flood = () => {
      for (const { control } of /** @type {any} */ (window).talkie.peers) {
        if (control?.readyState !== 'open') continue;
        for (let n = 0; n < 400 && control.bufferedAmount < 1e6; n += 1) control.send('{"type":"chat","text":"buy"}');
      }
    };
    setInterval(flood, 50);
  });
  const tile = `${OTHERS}[aria-label="Mallory"]`;
  await until('Mallory is cut off', async () => (await ada.attribute(tile, 'data-state')) === 'cut');
  await ada.reads('#toasts', 'flooded');
  assert.equal(await ada.attribute(`${OTHERS}[aria-label="Grace"]`, 'data-state'), 'connected');
  assert.ok((await ada.evaluate(() => /** @type {any} */ (window).talkie.state.chat.length)) < 60, 'little of it got into the chat');
  await say(grace, 'and now to something else');
  await readsInChat(ada, 'and now to something else');
  await goHome(ada, grace, mallory);
});
