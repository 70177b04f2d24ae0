// A transfer whose connection is lost goes on where it stopped, over another one; and a private window of
// Firefox, which has no private files, receives all the same.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, digestOf, IN, offers, stores, withoutPickers, withoutPrivateFiles } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';

const company = Company.gather();
const SIZE = 64 * 2 ** 20;
/** More than goes into a Blob where there are private files. */
const PRIVATE = 40 * 2 ** 20;
/** @type {import('../harness/person.mjs').Person} */ let ada;
/** @type {import('../harness/person.mjs').Person} */ let grace;
let folder = '';

/** Random bytes that do not compress or repeat. @param {string} name @param {number} size */
async function write(name, size) {
  const path = join(folder, name);
  const file = await open(path, 'w');
  for (let at = 0; at < size; at += 2 ** 23) await file.write(randomBytes(2 ** 23));
  await file.close();
  return path;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-resume-'));
  ada = await company.firefox('Ada', { prefs: { 'browser.privatebrowsing.autostart': true } });
  grace = await company.chromium('Grace');
  const room = newRoom();
  await withoutPickers(grace);
  await withoutPrivateFiles(grace);
  for (const person of [ada, grace]) await enter(person, company.server.network, room, 'nomedia');
  for (const person of [ada, grace]) await meets(person, 1);
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  // Firefox reports the server's absence as an error of the page.
  ada.complaints = ada.complaints.filter((text) => !text.includes('/signal'));
  await goHome(ada, grace);
});

test('the connection is cut, the server restarts, and the file still arrives whole', async () => {
  const path = await write('long.bin', SIZE);
  await offers(ada, path);
  const saving = grace.page.waitForEvent('download', { timeout: 240_000 });
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
  assert.equal((await becomes(ada, 'out', 'done')).verified, true);
  assert.equal(await digestOf(await (await saving).path()), await digestOf(path));
});

test('a private window receives into memory what fits there, and says of the rest that it is too much', async () => {
  assert.equal(await ada.evaluate(() => navigator.storage.getDirectory().catch(({ name }) => name)), 'SecurityError', 'has no private files');
  await truncate(join(folder, 'long.bin'), 300 * 2 ** 20);
  await offers(grace, join(folder, 'long.bin'));
  await ada.reads(`${IN}[data-state="offered"] ${id('file-place')}`, 'Too much for here');
  assert.equal(await ada.evaluate((s) => /** @type {HTMLButtonElement} */ (document.querySelector(s)).disabled, `${IN} ${id('file-accept')}`), true);
  await ada.click(`${IN}[data-state="offered"] ${id('file-decline')}`);

  const path = await write('private.bin', PRIVATE);
  await offers(grace, path);
  await ada.click(`${IN}[data-state="offered"] ${id('file-accept')}`);
  assert.equal((await becomes(ada, 'in', 'done')).verified, true);
  const saved = await ada.save(`${IN} ${id('file-save')}`, 'private.bin', PRIVATE);
  assert.equal(await digestOf(saved), await digestOf(path));
});
