// What a person sees, kept in target/screenshots/: every view, light and dark, in a desktop's window and a
// phone's. Checked, too, is what a picture shows and a selector does not: that nothing sticks out of the
// window, and that no tile is cut off.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { draw, LOOKS as PEOPLE } from '../harness/portrait.mjs';
import { enter, meets, OTHERS, OTHERS_SCREEN, readsInChat, say } from '../harness/room.mjs';
import { entrance, lookLike, LOOKS, openings, wayOut } from '../harness/tour.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

const CAMERAS = new URL('../../../../target/cameras/', import.meta.url).pathname;
const ROOM = 'calm-otter-bridge';

/** @typedef {import('../harness/person.mjs').Person} Person */

/** Somebody whose camera sees a person. @param {keyof typeof PEOPLE} looks @param {string} [name] */
async function inPerson(looks, name = looks) {
  const clip = await draw(PEOPLE[looks], join(CAMERAS, `${looks}.y4m`));
  return company.chromium(name, { browser: { args: [`--use-file-for-fake-video-capture=${clip}`] } });
}

/** Pictures of one person's views. @param {Person} person */
function camera(person) {
  const began = Date.now();
  /** @type {string[]} */
  const faults = [];
  /** @param {string} view */
  const shoot = async (view) => {
    for (const look of LOOKS) {
      await lookLike(person, look);
      faults.push(...(await cutOff(person)).map((fault) => `${view}, ${look.name}: ${fault}`));
      await person.screenshot(`${view}-${look.name}`);
    }
    if (LOOKS[0]) await lookLike(person, LOOKS[0]);
    console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${view}, ${faults.length} faults`);
  };
  return { faults, shoot };
}

test('every view, in every light and width', async () => {
  const ada = await inPerson('Ada');
  const { faults, shoot } = camera(ada);
  const { local } = company.server;
  await entrance(ada, local, ROOM, shoot);

  const grace = await inPerson('Grace');
  await enter(grace, local, ROOM);
  await meets(ada, 1);
  await moves(ada, `${OTHERS} video`);
  await toastsGone(ada);
  await shoot('room-of-two');
  await say(grace, 'Good morning! Can you hear me?');
  await readsInChat(ada, 'Good morning!');
  await say(ada, 'Loud and clear.');
  await say(grace, 'The plan is at https://example.org/a/very/long/path/that/never/ends/and/has/no/space/in/it');
  await readsInChat(ada, 'example.org');
  await ada.click(id('panel-close'));
  await openings(ada, shoot);
  await goHome(grace);
  await wayOut(ada, local, shoot);
  await goHome(ada);
  assert.deepEqual(faults, []);
});

test('three in a room, a screen, and a full room', async () => {
  const { local } = company.server;
  const ada = await inPerson('Ada');
  const { faults, shoot } = camera(ada);
  await enter(ada, local, ROOM);
  const [grace, joan] = [await inPerson('Grace'), await inPerson('Joan')];
  for (const person of [grace, joan]) await enter(person, local, ROOM);
  await meets(ada, 2);
  await everybodySeen(ada, 2);
  await toastsGone(ada);
  await settled(ada);
  await shoot('room');
  await joan.click(id('screen'));
  await moves(ada, `${OTHERS_SCREEN} video`);
  await shoot('screen');
  await joan.click(id('screen'));

  const more = [await inPerson('Grace', 'Katherine'), await inPerson('Joan', 'Radia'), await inPerson('Grace', 'Margaret Heafield Hamilton')];
  for (const person of more) await enter(person, local, ROOM);
  await meets(ada, 5);
  await everybodySeen(ada, 5);
  await toastsGone(ada);
  await shoot('room-of-six');
  await goHome(ada, grace, joan, ...more);
  assert.deepEqual(faults, []);
});

/** @param {Person} person @param {number} others */
async function everybodySeen(person, others) {
  await until(`${others} have a picture`, () =>
    person.evaluate(([selector, count]) => [...document.querySelectorAll(String(selector))].filter((video) => /** @type {HTMLVideoElement} */ (video).videoWidth > 0).length === count, [`${OTHERS} video`, others]),
  );
}

/** What sticks out of the window to the side, tiles that are not whole, and names that are. @param {Person} person */
function cutOff(person) {
  return person.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const faults = scrollWidth > clientWidth ? [`${scrollWidth} pixels in a window of ${clientWidth}`] : [];
    const stage = document.querySelector('.stage')?.getBoundingClientRect();
    for (const tile of document.querySelectorAll('[data-testid="tile"]')) {
      const box = tile.getBoundingClientRect();
      if (!stage || box.width === 0) continue;
      const whole = box.top >= stage.top - 1 && box.bottom <= stage.bottom + 1 && box.right <= stage.right + 1;
      if (!whole) faults.push(`${tile.querySelector('[data-testid="tile-name"]')?.textContent} at ${JSON.stringify(box)}`);
    }
    return faults;
  });
}

/** The first round trips are those of machines busy with beginning. @param {Person} person */
async function settled(person) {
  await until('round trips take less than 100 ms', () =>
    person.evaluate(() => [...document.querySelectorAll('.badge-rtt')].every((rtt) => parseInt(rtt.textContent ?? '') < 100 || rtt.closest('[hidden]'))),
  );
}

/** @param {Person} person */
async function toastsGone(person) {
  while ((await person.count(`${id('toast')} button`)) > 0) await person.click(`${id('toast')} button`);
}
