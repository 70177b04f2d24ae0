// What a person sees, kept in target/screenshots/: every view, light and dark, in a desktop's window and a
// phone's. Checked, too, is what a picture shows and a selector does not: that nothing sticks out of the
// window, that no tile or name is cut off, and that nothing jumps; and axe-core judges what everybody can
// use, contrast and the size of targets included.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { finished } from '../harness/check.mjs';
import { draw, LOOKS as PEOPLE } from '../harness/portrait.mjs';
import { enter, linkTo, meets, newRoom, OTHERS, openPanel, OTHERS_SCREEN, OWN, readsInChat, say } from '../harness/room.mjs';
import { closeSettings, openSettings } from '../harness/settings.mjs';
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

/** What another light can change, and another width; all else is the same page. @type {Record<string, string[]|undefined>} */
const RULES = { 'desktop-dark': ['color-contrast'], 'phone-light': [] };

/** Pictures of one person's views, and what is wrong in them: one run tells all. @param {Person} person */
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
      if (RULES[look.name]?.length === 0) continue;
      await accessible(person, `${view}, ${look.name}`, RULES[look.name]).catch((fault) => faults.push(fault.message));
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
  // Not everybody shows a picture.
  for (const person of more) await enter(person, local, ROOM, person === more[0] ? '' : 'nomedia');
  await meets(ada, 5);
  await everybodySeen(ada, 3);
  await toastsGone(ada);
  await shoot('room-of-six');
  await goHome(ada, grace, joan, ...more);
  assert.deepEqual(faults, []);
});

test('nothing jumps while a page loads, nor when somebody comes', async () => {
  const { local } = company.server;
  const ada = await company.chromium('Ada');
  await ada.page.addInitScript(watchShifts);
  /** @type {Record<string, number>} */
  const shifts = {};
  const note = async (/** @type {string} */ what) => {
    shifts[what] = await ada.evaluate(() => /** @type {any} */ (window).talkieShifts.splice(0).reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0));
  };
  await ada.open(local);
  await ada.reads(id('recent'), 'Rooms that you enter');
  await note('home');
  const room = newRoom();
  await ada.open(linkTo(local, room));
  await ada.reads(id('lobby-inside'), 'Nobody');
  await moves(ada, id('preview'), { received: false });
  await note('lobby');
  await ada.fill(id('name'), ada.name);
  await ada.click(id('enter'));
  await ada.sees(id('alone'));
  await moves(ada, `${OWN} video`, { received: false });
  await note('room');
  const grace = await company.chromium('Grace');
  await enter(grace, local, room);
  await meets(ada, 1);
  await moves(ada, `${OTHERS} video`);
  await note('somebody comes');
  await goHome(grace);
  await ada.sees(id('alone'));
  await note('somebody goes');
  for (const page of ['check', 'sdp', 'compare']) {
    await ada.open(`${local}/${page}`);
    if (page === 'check') await finished(ada);
    await ada.sees(id(page));
    await note(page);
  }
  await goHome(ada);
  console.log(`layout shift: ${JSON.stringify(shifts)}`);
  for (const [what, sum] of Object.entries(shifts)) assert.ok(sum <= 0.1, `${what}: ${sum}`);
});

test('narrow and low windows keep everything in reach, forced colours show what is on', async () => {
  const { local } = company.server;
  // 1280 pixels at 400 %, as WCAG 1.4.10 has it.
  const ada = await company.chromium('Ada', { context: { forcedColors: 'active', reducedMotion: 'reduce', viewport: { width: 320, height: 400 } } });
  /** @type {string[]} */
  const faults = [];
  const judge = async (/** @type {string} */ view) => faults.push(...(await cutOff(ada)).map((fault) => `${view}: ${fault}`));
  await ada.open(local);
  await ada.sees(id('home'));
  await judge('home');
  await ada.open(linkTo(local, newRoom()));
  await ada.fill(id('name'), ada.name);
  await judge('lobby');
  await ada.click(id('lobby-devices'));
  await openSettings(ada, 'general');
  await judge('settings');
  const colours = () => ada.evaluate((switches) => switches.map((s) => getComputedStyle(/** @type {Element} */ (document.querySelector(s))).backgroundColor), [id('shortcuts'), id('join-muted')]);
  assert.equal(new Set(await colours()).size, 2, 'a switch that is on and one that is off');
  await closeSettings(ada);
  await ada.click(id('enter'));
  await ada.sees(id('alone'));
  for (const size of [{ width: 320, height: 400 }, { width: 640, height: 400 }, { width: 844, height: 390 }]) {
    await ada.page.setViewportSize(size);
    await openPanel(ada, 'chat');
    await judge(`room of ${size.width} × ${size.height}`);
    faults.push(...(await outOfReach(ada, '.toolbar button, .panel-close, .chat-form :is(button, textarea)')).map((what) => `${what} at ${size.width} × ${size.height}`));
    await ada.screenshot(`low-${size.width}`);
    await ada.press('Escape');
  }
  await goHome(ada);
  assert.deepEqual(faults, []);
});

/** What one would have to scroll for. @param {Person} person @param {string} selector */
const outOfReach = (person, selector) =>
  person.evaluate((s) => [...document.querySelectorAll(s)].filter((one) => one.getClientRects().length > 0).flatMap((one) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return left >= -1 && top >= -1 && right <= innerWidth + 1 && bottom <= innerHeight + 1 ? [] : [`${one.getAttribute('data-testid')} ${left} ${top} ${right} ${bottom}`];
  }), selector);

/** In the page: how far things were moved that nobody had touched (Layout Instability, 1 is the whole window). */
function watchShifts() {
  /** @type {number[]} */
  const shifts = [];
  Object.assign(window, { talkieShifts: shifts });
  new PerformanceObserver((list) => {
    for (const shift of /** @type {any[]} */ (list.getEntries())) if (!shift.hadRecentInput) shifts.push(shift.value);
  }).observe({ type: 'layout-shift', buffered: true });
}

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
    // A very long name may end in dots.
    const usual = 20;
    for (const tile of document.querySelectorAll('[data-testid="tile"]')) {
      const box = tile.getBoundingClientRect();
      if (!stage || box.width === 0) continue;
      const name = tile.querySelector('[data-testid="tile-name"]');
      const whole = box.top >= stage.top - 1 && box.bottom <= stage.bottom + 1 && box.right <= stage.right + 1;
      if (!whole) faults.push(`${name?.textContent} at ${JSON.stringify(box)}`);
      if (name && (name.textContent ?? '').length <= usual && name.scrollWidth > name.clientWidth + 1) faults.push(`only ${name.clientWidth} of ${name.scrollWidth} pixels of ${name.textContent}`);
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
