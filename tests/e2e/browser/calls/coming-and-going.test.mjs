// Peers that come and go, and one that does nothing but talk: what stays behind in the page of who
// stays and of who goes, and whether the others notice.
// Runs alone: it counts what a garbage collector leaves, which comes late on a busy machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { weigh } from '../harness/leaks.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
const TIMES = 50;

/** Leaves by the button, and comes back through the lobby, in the same page. @param {Person} guest */
const leavesAndReturns = (guest) =>
  guest.evaluate(async ([leave, rejoin, enterRoom, others]) => {
    const click = async (/** @type {string|undefined} */ selector) => {
      for (;;) {
        const button = /** @type {HTMLButtonElement|null} */ (document.querySelector(String(selector)));
        if (button && !button.disabled && button.getClientRects().length) return button.click();
        await new Promise((wake) => setTimeout(wake, 10));
      }
    };
    for (const button of [leave, rejoin, enterRoom]) await click(button);
    const deadline = Date.now() + 30_000;
    while (/** @type {HTMLElement|null} */ (document.querySelector(String(others)))?.dataset.state !== 'connected') {
      if (Date.now() > deadline) throw new Error('she is not connected again');
      await new Promise((wake) => setTimeout(wake, 10));
    }
  }, [id('leave'), id('rejoin'), id('enter'), OTHERS]);

/** With a page of her own each time. @param {Person} guest @param {Person} host @param {string} room */
async function visits(guest, host, room) {
  await enter(guest, company.server.local, room);
  await until('the guest is connected', async () => (await host.attribute(OTHERS, 'data-state')) === 'connected', { every: 20 });
  await guest.page.goto('about:blank');
  await until('the guest is gone', async () => (await host.count(OTHERS)) === 0, { every: 20 });
}

/** What is there once Chromium has let go of the connections that were closed, which takes it a moment. @param {Person} person @param {number} connections */
const settled = (person, connections) =>
  until(`${person.name} has ${connections} connections`, async () => {
    const weight = await weigh(person);
    if (weight.alive.RTCPeerConnection === connections) return weight;
    throw new Error(JSON.stringify(weight));
  }, { every: 1000 });

test(`${TIMES} comings and goings leave nothing behind with anybody`, async (t) => {
  const small = { context: { viewport: { width: 480, height: 360 } } };
  const [host, guest] = [await company.chromium('Ada', small), await company.chromium('Grace', small)];
  const room = newRoom();
  for (const person of [host, guest]) {
    await person.page.addInitScript(() => {
      // A blank page keeps nothing.
      if (location.protocol === 'http:') localStorage.setItem('talkie-preferences', JSON.stringify({ maxHeight: 180 }));
    });
    await enter(person, company.server.local, room);
  }
  // The first few load what is loaded once.
  for (let n = 0; n < 5; n += 1) await leavesAndReturns(guest);
  const before = [await weigh(host), await weigh(guest)];
  const begun = Date.now();
  for (let n = 0; n < TIMES; n += 1) await leavesAndReturns(guest);
  t.diagnostic(`${TIMES} times in ${Date.now() - begun} ms`);
  await until('one connection is left', async () => (await host.count(OTHERS)) === 1);
  const after = [await settled(host, 1), await settled(guest, 1)];
  for (const [at, name] of ['who stays', 'who comes and goes'].entries()) {
    const [was, is] = [before[at], after[at]];
    t.diagnostic(`${name}: ${JSON.stringify(was)}, then ${JSON.stringify(is)}`);
    if (!was || !is) throw new Error('unreachable');
    // Of a connection's own tracks, some are there only while somebody has asked for them.
    for (const [what, count] of Object.entries(is.alive)) assert.ok(count < Number(was.alive[what]) + TIMES / 5, `${what} of ${name}: ${was.alive[what]}, then ${count}`);
    // Some history of those who left is kept on purpose, for so many of them.
    assert.ok(is.heap - was.heap < 1_500_000, `the heap of ${name} grew by ${is.heap - was.heap} bytes`);
    assert.ok(is.listeners - was.listeners < 40, `listeners of ${name}: ${was.listeners}, then ${is.listeners}`);
    assert.ok(is.nodes - was.nodes < 200, `nodes of ${name}: ${was.nodes}, then ${is.nodes}`);
  }
  for (let n = 0; n < 3; n += 1) await visits(guest, host, room);
  await settled(host, 0);
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
