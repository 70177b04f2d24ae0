// What a first visit loads, from where, and that browsers take the app for one that can be installed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, newRoom } from '../harness/room.mjs';

const company = Company.gather();

/** Compressed bytes of everything that a page has loaded. */
const MOST = 150_000;

/** @param {import('../harness/person.mjs').Person} person @param {string} what */
async function isLight(person, what) {
  const { bytes, files, strangers } = await person.evaluate(() => {
    const entries = /** @type {PerformanceResourceTiming[]} */ ([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]);
    return {
      bytes: entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
      files: entries.length,
      strangers: entries.map(({ name }) => name).filter((name) => !name.startsWith(`${location.origin}/`) && !name.startsWith('blob:')),
    };
  });
  console.log(`${what}: ${bytes} bytes in ${files} files`);
  assert.deepEqual(strangers, [], 'nobody else is asked');
  assert.ok(files > 4 && bytes > 10_000, `${files} files, ${bytes} bytes: nothing was measured`);
  assert.ok(bytes < MOST, `${what}: ${bytes} bytes`);
}

test('the start page and a room are light, and ask nobody else', async () => {
  const context = { serviceWorkers: /** @type {const} */ ('block') };
  const ada = await company.chromium('Ada', { context });
  await ada.open(company.server.local);
  await ada.sees(id('home'));
  await isLight(ada, 'the start page');
  await goHome(ada);
  const grace = await company.chromium('Grace', { context });
  await enter(grace, company.server.local, newRoom());
  await grace.sees(id('alone'));
  await isLight(grace, 'a room');
  await goHome(grace);
});

test('the app can be installed', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(company.server.local);
  await ada.sees(id('home'));
  const devtools = await ada.page.context().newCDPSession(ada.page);
  const manifest = await devtools.send('Page.getAppManifest');
  assert.deepEqual(manifest.errors, []);
  assert.ok(manifest.url.endsWith('/manifest.webmanifest'), manifest.url);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // The tests' browser contexts are private ones, from which nothing is installed.
  const others = installabilityErrors.filter((/** @type {any} */ { errorId }) => errorId !== 'in-incognito');
  assert.deepEqual(others, []);
  await goHome(ada);
});

test('the shortcut of the installed app starts a room', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(`${company.server.local}/?start`);
  await ada.sees(id('lobby'));
  assert.match(await ada.evaluate(() => location.href), /\/r\/[a-z]+-[a-z]+-[a-z]+#[\w-]{22}$/);
  await goHome(ada);
});
