// The app without a network: it opens, says what is the matter, and is up to date again when it can be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { newRoom } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

/** @typedef {import('../harness/person.mjs').Person} Person */

/** @param {Person} person */
async function keepsTheApp(person) {
  await until('the worker runs', () => person.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated'));
}

/** @param {Person} person @returns {Promise<string[]>} the paths of what is kept */
function kept(person) {
  return person.evaluate(async () => {
    const names = await caches.keys();
    const found = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return found.flat().map(({ url }) => url);
  });
}

/** @param {'chromium' | 'firefox'} browser */
async function withoutServer(browser) {
  const ada = await company[browser]('Ada');
  const room = newRoom();
  const link = `${company.server.local}/r/${room}#AAAAAAAAAAAAAAAAAAAAAA`;
  await ada.open(company.server.local);
  await ada.sees(id('home'));
  await keepsTheApp(ada);
  const names = await kept(ada);
  assert.ok(names.length > 40, `${names.length} files`);
  assert.ok(names.every((name) => !name.includes(room) && !name.endsWith('/signal')), 'the app alone is kept');

  await company.server.kill();
  try {
    await ada.open(link);
    await ada.sees(id('lobby'));
    await ada.sees(id('offline'));
    await ada.open(company.server.local);
    await ada.sees(id('home'));
    await ada.reads(id('offline'), /server/i);
  } finally {
    await company.server.run();
  }
  await ada.click(id('offline-retry'));
  await ada.sees(id('home'));
  await until('the word is gone', async () => (await ada.count(`${id('offline')}:not([hidden])`)) === 0);
  assert.ok((await kept(ada)).every((name) => !name.includes(room)), 'no room is kept');
  // Firefox tells of the socket to the server that was away as it tells of what nobody caught.
  ada.complaints = ada.complaints.filter((text) => !text.includes('establish a connection to the server'));
  return ada;
}

test('Chromium opens the app while the server is away', async () => {
  const ada = await withoutServer('chromium');
  await goHome(ada);
});

test('Firefox opens the app while the server is away', async () => {
  const ada = await withoutServer('firefox');
  await goHome(ada);
});

test('who has no network is told so', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(company.server.local);
  await keepsTheApp(ada);
  await ada.page.context().setOffline(true);
  await ada.reads(id('offline'), /offline/i);
  await ada.page.context().setOffline(false);
  await until('the word is gone', async () => (await ada.count(`${id('offline')}:not([hidden])`)) === 0);
  await goHome(ada);
});
