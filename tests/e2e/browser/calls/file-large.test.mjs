// A file larger than what any browser may grow by arrives, between Chromium and Firefox, both ways.
// TALKIE_BIG_FILE=4294967296 sends 4 GiB instead, and between two Chromiums as well; that takes many minutes
// and 13 GB of disk.
// Runs alone: it measures memory and fills both cores.
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
const ASKED = Number(process.env.TALKIE_BIG_FILE ?? 0);
const SIZE = ASKED || 320 * 2 ** 20;
const MEMORY = 300 * 2 ** 20;
const BROWSERS = /** @type {const} */ (['chromium', 'firefox']);
/** @type {(readonly ['chromium'|'firefox', 'chromium'|'firefox'])[]} */
const WAYS = [['chromium', 'firefox'], ['firefox', 'chromium'], ...(ASKED ? /** @type {const} */ ([['chromium', 'chromium']]) : [])];
/** Firefox writes a copy, keeps the file and saves it from there. */
const SPACE = 3 * SIZE;
/** @param {number} bytes */
const mebibytes = (bytes) => Math.round(bytes / 2 ** 20);
let folder = '';
let path = '';
let digest = '';
let room = 0;

before(async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  room = bavail * bsize;
  folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-large-'));
  path = join(folder, 'large.bin');
  const file = await open(path, 'w');
  // Mostly holes, with something different every 16 MiB, so that order matters.
  for (let at = 0; at < SIZE; at += 2 ** 24) await file.write(`here is ${at}`, at);
  await file.truncate(SIZE);
  await file.close();
  digest = await digestOf(path);
});
after(() => rm(folder, { recursive: true, force: true }));

/** How much more memory than now each browser, with all its processes, takes at most. */
async function watchMemory() {
  const rest = await Promise.all(BROWSERS.map(memoryOf));
  const most = [0, 0];
  return async () => {
    const now = await Promise.all(BROWSERS.map(memoryOf));
    now.forEach((bytes, i) => (most[i] = Math.max(most[i], bytes - rest[i])));
    return { rest, most };
  };
}

/** The machine may be slow, but something has to move. @param {import('../harness/person.mjs').Person} person */
function arrives(person, look = async () => {}) {
  let moved = { at: Date.now(), bytes: -1 };
  return until('all of it has arrived', async () => {
    await look();
    const { state, bytes, reason } = (await rows(person, 'in')).at(-1);
    if (bytes > moved.bytes) moved = { at: Date.now(), bytes };
    if (state === 'failed' || Date.now() - moved.at > 90_000) throw Object.assign(new Error(`${state} ${reason}, ${bytes} bytes`), { fatal: true });
    return state === 'done';
  }, { patience: 60 * 60_000, every: 500 });
}

for (const [from, to] of WAYS) {
  test(`${SIZE / 2 ** 20} MiB from ${from} to ${to}, in no process's memory`, async (t) => {
    assert.ok(room >= SPACE, `needs ${SPACE} bytes of disk in ${tmpdir()}`);
    const ada = await company[from]('Ada');
    const grace = await company[to]('Grace');
    const name = newRoom();
    await withoutPickers(grace);
    for (const person of [ada, grace]) await enter(person, company.server.network, name, 'nomedia');
    for (const person of [ada, grace]) await meets(person, 1);
    await offers(ada, path);
    const { place } = await becomes(grace, 'in', 'offered');
    assert.equal(place, to === 'firefox' ? 'kept' : 'download');
    const look = await watchMemory();
    const saving = place === 'download' && grace.page.waitForEvent('download', { timeout: 120_000 });
    const began = Date.now();
    await grace.click(`${IN} ${id('file-accept')}`);
    await arrives(grace, async () => void (await look()));
    const seconds = (Date.now() - began) / 1000;
    const saved = saving ? await (await saving).path() : await grace.save(`${IN} ${id('file-save')}`, 'large.bin', SIZE);
    const { rest, most } = await look();
    const growth = BROWSERS.map((browser, i) => `${browser} by ${mebibytes(most[i])} MiB from ${mebibytes(rest[i])}`).join(', ');
    t.diagnostic(`${(SIZE / 2 ** 20 / seconds).toFixed(1)} MiB/s; grew: ${growth}`);
    assert.ok(Math.max(...most) < MEMORY, growth);
    assert.equal(await digestOf(saved), digest);
    assert.equal((await becomes(ada, 'out', 'done')).verified, true);
    await rm(saved);
    await goHome(ada, grace);
  });
}
