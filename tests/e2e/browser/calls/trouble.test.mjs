// No camera, no permission, and names that mean harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, linkTo, meets, newRoom, OTHERS, OWN, readsInChat, say } from '../harness/room.mjs';

const company = Company.gather();

/**
 * @param {import('../harness/person.mjs').Person} person who has no device
 * @param {RegExp} words what the lobby says about it
 */
async function joinsWithout(person, words) {
  const room = newRoom();
  const ada = await company.chromium('Ada');
  await enter(ada, company.server.local, room);
  await person.open(linkTo(company.server.local, room));
  await person.reads(id('lobby-problem'), words);
  await person.fill(id('name'), person.name);
  await person.click(id('enter'));
  await meets(person, 1);
  await moves(person, `${OTHERS} video`);
  await hears(person);
  assert.equal(await ada.attribute(OTHERS, 'data-picture'), 'false');
  assert.equal(await ada.attribute(OTHERS, 'data-mic'), 'false');
  await say(person, 'you cannot see me');
  await readsInChat(ada, 'you cannot see me');
  await person.click(id('mic'));
  await person.reads(id('toast'), words);
  await goHome(ada, person);
}

test('who has neither camera nor microphone joins without', async () => {
  await joinsWithout(await company.chromium('Grace', { browser: { devices: false } }), /No (camera|microphone) was found/);
});

test('who refuses camera and microphone joins without', async () => {
  const options = {
    browser: { realPermissions: true },
    // To grant one thing is to refuse the others.
    context: { permissions: ['notifications'] },
  };
  await joinsWithout(await company.chromium('Grace', options), /may not use your (camera|microphone)/);
});

test('a name is text, whatever it looks like', async () => {
  const name = '<img src=x onerror=document.title="owned">\u202Eevil';
  const eve = await company.chromium(name);
  const ada = await company.chromium('Ada');
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await enter(eve, company.server.local, room);
  await meets(ada, 1);
  await ada.reads(`${OTHERS} ${id('tile-name')}`, '<img src=x onerror=document.title="owned">evil');
  assert.equal(await ada.count(`${OTHERS} img`), 0);
  const title = await ada.evaluate(() => document.title);
  assert.doesNotMatch(title, /owned/);
  await goHome(ada, eve);
});

test('a room name that cannot be is answered in words', async () => {
  const ada = await company.chromium('Ada');
  for (const room of ['..%2F..%2Fetc%2Fpasswd', '%00', 'x'.repeat(10_000), '%E2%80%AE', '<script>']) {
    await ada.open(`${company.server.local}/r/${room}?join&name=Ada`);
    await ada.reads('body', 'There is nothing here');
    assert.equal(await ada.count(OWN), 0, room);
  }
  await goHome(ada);
});

test('what is typed as a room is checked before anybody goes anywhere', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(company.server.local);
  await ada.fill(id('join-input'), '../../etc/passwd');
  await ada.click(id('join'));
  await ada.reads(id('join-error'), /neither a link/);
  await ada.fill(id('start-name'), 'Über uns!');
  await ada.click(id('start'));
  await ada.reads(id('start-error'), /letters, digits and dashes/);
  await goHome(ada);
});
