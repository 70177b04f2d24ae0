// What a person sees, kept in target/screenshots/. These tests also check what a picture shows and a
// selector does not: that nothing sticks out of the window, and that no tile is cut off.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { draw, LOOKS } from '../harness/portrait.mjs';
import { enter, meets, newRoom, openPanel, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

const CAMERAS = new URL('../../../../target/cameras/', import.meta.url).pathname;

/** Somebody whose camera sees a person. @param {keyof typeof LOOKS} name @param {object} [context] */
async function inPerson(name, context = {}) {
  const clip = await draw(LOOKS[name], join(CAMERAS, `${name}.y4m`));
  return company.chromium(name, { browser: { args: [`--use-file-for-fake-video-capture=${clip}`] }, context });
}

/** @typedef {import('../harness/person.mjs').Person} Person */

const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

/** Rooms with the names that people have, for the pictures. */
const ROOMS = ['calm-otter-bridge', 'quiet-heron-lantern', 'bright-cedar-porch', 'merry-finch-attic'];

for (const [size, context] of Object.entries(SIZES)) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${size}, ${colorScheme}`, async () => {
      const ada = await inPerson('Ada', { ...context, colorScheme });
      const { local } = company.server;
      /** @param {string} view */
      const shoot = async (view) => {
        await fits(ada, view);
        await ada.screenshot(`${view}-${size}-${colorScheme}`);
      };
      await ada.open(local);
      await ada.sees(id('home'));
      await shoot('home');

      const room = ROOMS.shift() ?? newRoom();
      await ada.open(`${local}/r/${room}`);
      await moves(ada, id('preview'), { received: false });
      await shoot('lobby');
      await ada.fill(id('name'), ada.name);
      await ada.click(id('enter'));
      await ada.sees(id('alone'));
      await shoot('alone');

      const grace = await inPerson('Grace');
      const joan = await inPerson('Joan');
      for (const person of [grace, joan]) await enter(person, local, room);
      for (const person of [ada, grace, joan]) await meets(person, 2);
      for (const at of [1, 2]) await moves(ada, `${OTHERS}:nth-of-type(${at}) video`);
      await toastsGone(ada);
      await settled(ada);
      await shoot('room');

      await say(grace, 'Good morning! Can you both hear me?');
      await readsInChat(ada, 'Good morning!');
      await say(ada, 'Loud and clear.');
      await say(joan, 'The plan is at https://example.org/a/very/long/path/that/never/ends/and/has/no/space/in/it');
      await readsInChat(ada, 'example.org');
      await shoot('chat');

      await openPanel(ada, 'files');
      await shoot('files');
      await ada.click(id('panel-close'));
      await grace.click(id('screen'));
      await moves(ada, '[data-testid="tile"][data-kind="screen"] video');
      await shoot('screen');
      await unclipped(ada);
      await goHome(ada, grace, joan);
    });
  }
}

/** Nothing may stick out of the window to the side. @param {Person} person @param {string} view */
async function fits(person, view) {
  const { width, content } = await person.evaluate(() => ({
    width: document.documentElement.clientWidth,
    content: document.documentElement.scrollWidth,
  }));
  assert.ok(content <= width, `${view}: ${content} pixels in a window of ${width}`);
}

/** Beside a screen, too, all tiles are whole and all names can be read. @param {Person} person */
async function unclipped(person) {
  const faults = await person.evaluate(() => {
    const stage = document.querySelector('.stage')?.getBoundingClientRect();
    return [...document.querySelectorAll('[data-testid="tile"]')].flatMap((tile) => {
      const box = tile.getBoundingClientRect();
      const name = tile.querySelector('[data-testid="tile-name"]');
      const inside = stage && box.top >= stage.top - 1 && box.bottom <= stage.bottom + 1 && box.right <= stage.right + 1;
      return inside && name && name.scrollWidth <= name.clientWidth + 1 ? [] : [`${name?.textContent} at ${JSON.stringify(box)}`];
    });
  });
  assert.deepEqual(faults, []);
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
