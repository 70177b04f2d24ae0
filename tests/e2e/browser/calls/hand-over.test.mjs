// From one network into another in the middle of a call, with and without a gap between them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { Roamer } from '../harness/roaming.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** @type {Roamer} */ let roamer;
before(async () => {
  roamer = await Roamer.start();
});
after(() => roamer.end());

/** Waits until all that she sends comes from there. @param {Person} person @param {string} address */
const sendsFrom = (person, address) =>
  until(`${person.name} sends from ${address}`, async () => {
    const used = await person.evaluate(() => Promise.all(/** @type {any} */ (window).talkie.peers.map(async (/** @type {any} */ { pc }) => {
      const stats = await pc.getStats();
      const transport = [...stats.values()].find((report) => report.type === 'transport');
      const pair = stats.get(transport?.selectedCandidatePairId);
      const local = stats.get(pair?.localCandidateId);
      return pc.connectionState === 'connected' && (local?.candidateType === 'relay' ? local.relatedAddress : local?.address);
    })));
    if (used.length > 0 && used.every((/** @type {string} */ one) => one === address)) return true;
    throw new Error(JSON.stringify(used));
  });

test('a call goes on in another network, for Chromium and Firefox at the other end', async (t) => {
  const wifi = roamer.comesInto('wifi');
  const [ada, mitchell] = [await company.chromium('Ada'), await company.firefox('Mitchell')];
  const grace = await company.chromium('Grace', { browser: roamer.browser });
  const room = newRoom();
  // She comes between the two, so that one link of hers restarts by itself and the other asks for it.
  for (const person of [ada, grace, mitchell]) await enter(person, company.server.network, room);
  for (const person of [ada, grace, mitchell]) await meets(person, 2);
  await sendsFrom(grace, wifi);
  await grace.evaluate(() => Object.assign(window, { before: /** @type {any} */ (window).talkie.peers.map((/** @type {any} */ peer) => peer.pc) }));

  roamer.goesOutOf('wifi');
  await grace.reads(id('banner'), 'offline');
  await until('Ada is told', async () => (await ada.attribute(`${OTHERS}[aria-label="Grace"]`, 'data-state')) === 'reconnecting');
  await grace.screenshot('room-offline-desktop');
  const back = Date.now();
  const mobile = roamer.comesInto('mobile');
  await sendsFrom(grace, mobile);
  t.diagnostic(`connected ${Date.now() - back} ms after the other network was there`);
  await until('nothing is wrong any more', async () => (await grace.attribute(id('banner'), 'data-code')) === '');
  await goesOn(grace, [ada, mitchell], 'through the mobile network');

  // Both at once for a while, as when a phone comes home.
  const again = roamer.comesInto('wifi');
  roamer.goesOutOf('mobile');
  await sendsFrom(grace, again);
  await goesOn(grace, [ada, mitchell], 'at home');
  await goHome(ada, grace, mitchell);
});

/** The same page and the same connections, with pictures, sound and words. @param {Person} person @param {Person[]} others @param {string} words */
async function goesOn(person, others, words) {
  await meets(person, 2);
  for (const other of others) {
    await meets(other, 2);
    await moves(other, `${OTHERS}[aria-label="${person.name}"] video`);
  }
  await moves(person, `${OTHERS} video`);
  await hears(person);
  assert.ok(await person.evaluate(() => /** @type {any} */ (window).talkie.peers.every((/** @type {any} */ { pc }, /** @type {number} */ at) => pc === /** @type {any} */ (window).before[at])));
  await say(person, words);
  for (const other of others) await readsInChat(other, words);
}
