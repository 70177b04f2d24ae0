// People who go without a word, come back, or have the same name.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

/** What the others' tiles say of their connection. @param {import('../harness/person.mjs').Person} person */
const phases = (person) =>
  person.evaluate((s) => [...document.querySelectorAll(s)].map((tile) => /** @type {HTMLElement} */ (tile).dataset.state), OTHERS);

// One of them waits half a minute for the server: the others need not wait for that.
describe('people who go', { concurrency: true }, () => {
  test('who reloads the page is back, once', async () => {
    const [ada, grace] = [await company.chromium('Ada'), await company.chromium('Grace')];
    const room = newRoom();
    for (const person of [ada, grace]) await enter(person, company.server.local, room);
    await meets(ada, 1);
    const before = await ada.attribute(OTHERS, 'data-peer');
    await grace.page.reload();
    await until('the tile is another', async () => {
      assert.ok((await ada.count(OTHERS)) <= 1, 'never two tiles of one person');
      return (await ada.count(OTHERS)) === 1 && (await ada.attribute(OTHERS, 'data-peer')) !== before;
    });
    for (const person of [ada, grace]) {
      await meets(person, 1);
      await moves(person, `${OTHERS} video`);
    }
    await ada.reads(`${OTHERS} ${id('tile-name')}`, 'Grace');
    await goHome(ada, grace);
  });

  test('who vanishes is said to reconnect, and then is gone', async () => {
    const ada = await company.chromium('Ada');
    // A browser of her own, because all of it ends.
    const grace = await company.chromium('Grace', { browser: { args: ['--lang=en'] } });
    const room = newRoom();
    for (const person of [ada, grace]) await enter(person, company.server.local, room);
    await meets(ada, 1);
    await moves(ada, `${OTHERS} video`);
    const session = await grace.page.context().newCDPSession(grace.page);
    // Never answered: there is nobody left to answer.
    void session.send('Page.crash').catch(() => {});
    await until('the tile says so', async () => (await phases(ada)).join() === 'reconnecting');
    await ada.reads(`${OTHERS} .tile-phase`, 'Reconnecting…');
    assert.equal(await ada.attribute(OTHERS, 'data-badge'), null, 'nothing is said of a way that is not there');
    await ada.screenshot('reconnecting');
    await until('the tile is gone', async () => (await ada.count(OTHERS)) === 0, { patience: 60_000 });
    await ada.sees(id('alone'));
    await goHome(ada);
  });

  test('people of one name are told apart', async () => {
    const people = [];
    const room = newRoom();
    for (const name of ['Ada', 'Grace', 'Grace']) {
      const person = await company.chromium(name);
      await enter(person, company.server.local, room);
      people.push(person);
    }
    const [ada, , second] = people;
    await meets(ada, 2);
    const names = () => ada.evaluate((s) => [...document.querySelectorAll(`${s} [data-testid="tile-name"]`)].map((name) => name.textContent), OTHERS);
    assert.deepEqual((await names()).sort(), ['Grace', 'Grace (2)']);
    await say(second, 'I came later');
    await readsInChat(ada, 'I came later');
    await ada.reads(id('chat-log'), 'Grace (2)');
    await goHome(...people);
  });
});
