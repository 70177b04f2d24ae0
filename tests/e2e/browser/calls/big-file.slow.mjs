// A file too big for any memory between Chromium and Firefox, both ways, without any process that holds it.
// Takes minutes, so it is run by hand, with the release build:
//   tests/e2e/browser/namespace.sh node --test tests/e2e/browser/calls/big-file.slow.mjs
// TALKIE_BIG_FILE=4294967296 sends 4 GiB; the default is just past what is kept without asking for a place.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, digestOf, IN, memoryOf, offers, rows, withoutPickers } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();
const SIZE = Number(process.env.TALKIE_BIG_FILE ?? 1.25 * 2 ** 30);
const MEMORY = 300 * 2 ** 20;
/** The machine may be slow; a transfer that stands still is given up sooner. */
const PATIENCE = 40 * 60_000;
/** Firefox keeps the file and saves it from there. */
const SPACE = 3 * SIZE;
let folder = '';
let path = '';
let digest = '';
let room = 0;

before(async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  room = bavail * bsize;
  folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-big-'));
  path = join(folder, 'big.bin');
  const file = await open(path, 'w');
  // Mostly holes, with something different every 16 MiB, so that order matters.
  for (let at = 0; at < SIZE; at += 2 ** 24) await file.write(`here is ${at}`, at);
  await file.truncate(SIZE);
  await file.close();
  digest = await digestOf(path);
});
after(() => rm(folder, { recursive: true, force: true }));

/** @param {'chromium'|'firefox'} from @param {'chromium'|'firefox'} to */
async function drop(from, to) {
  const ada = await company[from]('Ada');
  const grace = await company[to]('Grace');
  const name = newRoom();
  await withoutPickers(grace);
  for (const person of [ada, grace]) await enter(person, company.server.network, name, 'nomedia');
  for (const person of [ada, grace]) await meets(person, 1);
  await offers(ada, path);
  await grace.sees(`${IN} ${id('file-accept')}`);
  const { place } = await becomes(grace, 'in', 'offered');
  const rest = await memoryOf(to);
  const saving = place === 'download' && grace.page.waitForEvent('download', { timeout: 120_000 });
  const began = Date.now();
  await grace.click(`${IN} ${id('file-accept')}`);
  let most = 0;
  let moved = { at: Date.now(), bytes: -1 };
  await until('all of it has arrived', async () => {
    most = Math.max(most, (await memoryOf(to)) - rest);
    const { state, bytes } = (await rows(grace, 'in')).at(-1);
    if (bytes > moved.bytes) moved = { at: Date.now(), bytes };
    if (state === 'failed' || Date.now() - moved.at > 90_000) throw Object.assign(new Error(`${state}, ${bytes} bytes`), { fatal: true });
    return state === 'done';
  }, { patience: PATIENCE, every: 500 });
  const seconds = (Date.now() - began) / 1000;
  const saved = saving ? await (await saving).path() : await grace.save(`${IN} ${id('file-save')}`, 'big.bin', SIZE);
  most = Math.max(most, (await memoryOf(to)) - rest);
  console.log(`${from} to ${to}: ${(SIZE / 2 ** 20 / seconds).toFixed(0)} MiB/s, ${to} grew by ${(most / 2 ** 20).toFixed(0)} MiB at most`);
  assert.ok(most < MEMORY, `${to} grew by ${most} bytes`);
  assert.equal(await digestOf(saved), digest);
  assert.equal((await becomes(ada, 'out', 'done')).verified, true);
  await rm(saved);
  await goHome(ada, grace);
}

for (const [from, to] of /** @type {const} */ ([['firefox', 'chromium'], ['chromium', 'firefox']])) {
  test(`${(SIZE / 2 ** 30).toFixed(2)} GiB from ${from} to ${to}`, async (t) => {
    if (room < SPACE) return t.skip(`needs ${SPACE} bytes of disk`);
    await drop(from, to);
  });
}
