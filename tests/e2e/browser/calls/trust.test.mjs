// Keys, locks, knocks and safety numbers, between Chromium and Firefox.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather('--http', '0.0.0.0:8080');
const newKey = () => randomBytes(16).toString('base64url');
const IN = `[data-testid="person"][data-self="false"]`;

/** @param {Person} person @param {string} room @param {string} fragment with its # @param {string} [query] */
const open = (person, room, fragment, query = '') => person.open(`${company.server.local}/r/${room}?name=${person.name}${query}${fragment}`);

/** @param {Person} person */
async function people(person) {
  if (await person.attribute(id('people'), 'aria-expanded') !== 'true') await person.click(id('people'));
  await person.sees(id('people-panel'));
}

/** @param {Person} person @param {string} selector */
const hidden = (person, selector) => until(`${person.name} does not see ${selector}`, () =>
  person.evaluate((s) => (document.querySelector(s)?.getClientRects().length ?? 0) === 0, selector));

test('a key that does not fit is said before joining, and so is who is inside', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.firefox('Grace')];
  const [room, key] = [newRoom(), newKey()];
  await open(ada, room, `#${key}`);
  await ada.reads(id('lobby-inside'), 'Nobody is inside yet.');
  assert.equal(await ada.attribute(id('privacy'), 'data-privacy'), 'sealed');
  await ada.click(id('enter'));
  await ada.sees(id('room'));

  for (const [fragment, words] of [['', /lacks its key/], [`#${newKey()}`, /does not fit/], [`#${key.slice(0, 12)}`, /cut short/]]) {
    for (const query of ['', '&join']) {
      await open(grace, room, /** @type {string} */ (fragment), query);
      await grace.reads(id('lobby-error'), /** @type {RegExp} */ (words));
      await hidden(grace, id('enter'));
    }
  }
  await open(grace, room, `#${key}`);
  await grace.reads(id('lobby-inside'), '1 person is inside.');
  await grace.sees(id('enter'));
  assert.equal(await grace.text(id('lobby-error')), '');

  // A room that was opened without a key says so, to those inside too.
  const bare = newRoom();
  await open(grace, bare, '');
  await grace.reads(id('privacy'), 'This room has no key: the server could listen in.');
  await grace.click(id('enter'));
  await grace.sees(`${id('privacy-warning')}[data-privacy="keyless"]`);
  await open(ada, bare, `#${key}`);
  await ada.reads(id('lobby-error'), /does not fit/);
  await goHome(ada, grace);
});

test('who knocks at a locked room is let in or refused; numbers agree; the lock outlives the server', async () => {
  const { server } = company;
  const [ada, grace] = [await company.chromium('Ada'), await company.firefox('Grace')];
  const [room, key] = [newRoom(), newKey()];
  await open(ada, room, `#${key}`, '&join');
  await people(ada);
  await ada.click(id('lock'));
  await ada.sees(id('room-locked'));

  await open(grace, room, `#${key}`);
  await grace.reads(id('enter'), 'Ask to join');
  await grace.click(id('enter'));
  await ada.reads(`${id('people-panel')} ${id('knock')}`, 'Grace asks to join');
  await grace.reads(id('lobby-inside'), 'You knocked.');
  await grace.click(id('knock-cancel'));
  await until('the knock is gone', async () => (await ada.count(id('knock'))) === 0);

  await grace.reads(id('enter'), 'Ask to join');
  await grace.click(id('enter'));
  await ada.screenshot('knock');
  await ada.click(`${id('people-panel')} ${id('knock-refuse')}`);
  await grace.reads(id('lobby-error'), 'Nobody let you in.');

  // Straight to the room by the address: it is locked all the same.
  await open(grace, room, `#${key}`, '&join');
  await grace.sees(id('knock-cancel'));
  await ada.click(`${id('people-panel')} ${id('knock-admit')}`);
  for (const person of [ada, grace]) await meets(person, 1);
  await ada.reads(`${OTHERS} ${id('tile-name')}`, 'Grace');
  await moves(grace, `${OTHERS} video`);

  await verify(ada, grace);

  await server.kill();
  await server.run();
  for (const person of [ada, grace]) {
    await until(`${person.name} is back`, async () => (await person.attribute(id('banner'), 'data-code')) === '');
    await meets(person, 1);
    await person.sees(id('room-locked'));
    assert.equal(await person.attribute(OTHERS, 'data-verified'), 'true', 'the same connection, the same number');
  }
  const joan = await company.chromium('Joan');
  await open(joan, room, `#${key}`, '&join');
  await joan.sees(id('knock-cancel'));
  await grace.reads(id('knocks'), 'Joan asks to join');
  await grace.click(`.room-knocks ${id('knock-admit')}`);
  for (const person of [ada, grace, joan]) await meets(person, 2);
  await goHome(ada, grace, joan);
});

/** Both compare their number and say that it is the same. @param {Person} ada @param {Person} grace */
async function verify(ada, grace) {
  const numbers = [];
  for (const person of [ada, grace]) {
    await people(person);
    await person.click(`${IN} ${id('safety-open')}`);
    await person.reads(id('safety-number'), /^\D*(\d{3}\D*){4}$/);
    numbers.push((await person.text(id('safety-number'))).replace(/\D/g, ''));
    await person.screenshot(`safety-${person.name}`);
    await person.click(id('safety-same'));
    await person.reads(id('safety-words'), 'verified');
    await person.press('Escape');
    await until(`${person.name}'s tile is marked`, async () => (await person.attribute(OTHERS, 'data-verified')) === 'true');
    assert.equal(await person.attribute(IN, 'data-verified'), 'true');
    await person.press('Escape');
  }
  assert.equal(numbers[0]?.length, 12);
  assert.equal(numbers[0], numbers[1]);
  assert.notEqual(numbers[0], '000000000000');
}

test('a page over plain http talks with the others, and says that it is not private', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.chromium('Grace')];
  const [room, key] = [newRoom(), newKey()];
  await open(ada, room, `#${key}`, '&join');
  await grace.open(`http://198.51.100.10:8080/r/${room}?name=Grace#${key}`);
  assert.equal(await grace.evaluate(() => globalThis.crypto.subtle === undefined), true);
  await grace.reads(id('privacy'), /plain http.*no privacy/);
  await grace.reads(id('lobby-inside'), '1 person is inside.');
  await grace.click(id('enter'));
  for (const person of [ada, grace]) await meets(person, 1);
  await grace.reads(`${OTHERS} ${id('tile-name')}`, 'Ada');
  await ada.reads(`${OTHERS} ${id('tile-name')}`, 'Grace');
  await grace.sees(`${id('privacy-warning')}[data-privacy="insecure"]`);
  await verify(ada, grace);
  await goHome(ada, grace);
});
