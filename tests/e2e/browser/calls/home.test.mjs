// The first page, in both browsers: start a room, join by a link or a name, what cannot be is said, and
// rooms are found again and forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { newRoom } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

/** @typedef {import('../harness/person.mjs').Person} Person */

/** @param {Person} person @param {(address: URL) => boolean} fits @returns {Promise<string>} the address */
const isAt = (person, fits) =>
  until(`${person.name} is at the address`, async () => {
    const now = await person.evaluate(() => location.href);
    if (fits(new URL(now))) return now;
    throw new Error(now);
  });

/** @param {Person} person @param {string} text */
async function joins(person, text) {
  await person.open(company.server.local);
  await person.fill(id('join-input'), text);
  await person.click(id('join'));
}

for (const browser of /** @type {const} */ (['chromium', 'firefox'])) {
  test(`${browser}: starting, joining and forgetting rooms`, async () => {
    const { local } = company.server;
    const person = await company[browser]('Ada');
    await person.open(local);
    await person.reads(id('recent'), 'Rooms that you enter will be listed here.');
    const suggested = await person.evaluate((s) => /** @type {HTMLInputElement} */ (document.querySelector(s)).value, id('start-name'));
    await person.fill(id('start-name'), 'no room!');
    await person.click(id('start'));
    await person.reads(id('start-error'), 'letters, digits and dashes');
    await person.click(id('shuffle'));
    await person.click(id('start'));
    // A name of its own, and a key that only the link knows.
    const link = await isAt(person, ({ pathname, hash }) => /^\/r\/[a-z]+-[a-z]+-[a-z]+$/.test(pathname) && /^#[\w-]{22}$/.test(hash));
    const room = new URL(link).pathname.slice('/r/'.length);
    assert.notEqual(room, suggested);
    await person.fill(id('name'), person.name);
    await person.click(id('enter'));
    await person.sees(id('alone'));
    await person.click(id('leave'));
    await person.sees(id('left'));

    for (const bad of ['///', 'https://example.org/x', 'javascript:alert(1)', '\u202e']) {
      await joins(person, bad);
      await person.reads(id('join-error'), 'neither a link to a room nor a room name');
      assert.equal(await person.attribute(id('join-input'), 'aria-invalid'), 'true');
    }
    await joins(person, `  ${link} `);
    await isAt(person, ({ href }) => href === link);
    await person.sees(id('lobby'));
    const named = newRoom();
    await joins(person, named);
    await isAt(person, ({ pathname, hash }) => pathname === `/r/${named}` && hash === '');

    await person.open(local);
    await person.sees(id('recent-room'));
    assert.equal(await person.count(id('recent-room')), 1, 'who only looked in was not there');
    await person.click(id('recent-room'));
    await isAt(person, ({ href }) => href === link);
    await person.open(local);
    await person.click(id('forget-room'));
    await person.reads(id('recent'), 'Rooms that you enter will be listed here.');
    assert.doesNotMatch(await person.evaluate(() => JSON.stringify(localStorage)), new RegExp(room));
    await goHome(person);
  });
}
