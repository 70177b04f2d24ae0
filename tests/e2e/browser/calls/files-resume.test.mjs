// A transfer whose connection is lost goes on where it stopped, over another one.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, digestOf, IN, offers, stores, withoutPickers } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';

const company = Company.gather();
const SIZE = 96 * 2 ** 20;

/** Random bytes that do not compress or repeat. @param {string} path */
async function write(path) {
  const file = await open(path, 'w');
  for (let at = 0; at < SIZE; at += 2 ** 24) await file.write(randomBytes(2 ** 24));
  await file.close();
}

test('the connection is cut, the server restarts, and the file still arrives whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-resume-'));
  const path = join(folder, 'long.bin');
  await write(path);
  const ada = await company.firefox('Ada');
  const grace = await company.chromium('Grace');
  const room = newRoom();
  await withoutPickers(grace);
  for (const person of [ada, grace]) await enter(person, company.server.network, room, 'nomedia');
  for (const person of [ada, grace]) await meets(person, 1);
  await offers(ada, path);
  await grace.click(`${IN} ${id('file-accept')}`);
  await stores(grace, 4 * 2 ** 20);
  await company.server.kill();
  for (const person of [ada, grace]) await person.evaluate(() => /** @type {any} */ (window).talkie.peers[0].pc.close());
  const lost = await becomes(grace, 'in', 'interrupted');
  await grace.reads(`${IN} ${id('file-words')}`, 'Goes on when it is back');
  await becomes(ada, 'out', 'interrupted');
  assert.ok(lost.bytes < SIZE, 'it was cut in the middle');
  await company.server.run();
  await becomes(grace, 'in', 'done', { patience: 240_000 });
  const sent = await becomes(ada, 'out', 'done');
  assert.equal(sent.verified, true);
  const saved = await grace.save(`${IN} ${id('file-save')}`, 'long.bin', SIZE);
  assert.equal(await digestOf(saved), await digestOf(path));
  await rm(folder, { recursive: true });
  // Firefox reports the server's absence as an error of the page.
  ada.complaints = ada.complaints.filter((text) => !text.includes('/signal'));
  await goHome(ada, grace);
});
