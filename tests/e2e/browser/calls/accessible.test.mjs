// Every view by axe-core, contrast included: light and dark, desktop and phone, alone and in company.
import { test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';

const company = Company.gather();

/** @typedef {import('../harness/person.mjs').Person} Person */

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };

/** @type {[string, object][]} */
const LOOKS = [
  ['desktop, light', { ...DESKTOP, colorScheme: 'light' }],
  ['desktop, dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['phone, light', { ...PHONE, colorScheme: 'light' }],
  ['phone, dark', { ...PHONE, colorScheme: 'dark' }],
];

for (const [look, context] of LOOKS) {
  test(`Chromium, ${look}`, async () => {
    const ada = await company.chromium('Ada', { context });
    await everywhere(ada, look);
    await goHome(ada);
  });
}

test('Firefox', async () => {
  const ada = await company.firefox('Ada');
  await everywhere(ada, 'Firefox');
  await goHome(ada);
});

/** All views are visited before anything is said, so that one run tells all. @param {Person} ada @param {string} look */
async function everywhere(ada, look) {
  /** @type {string[]} */
  const faults = [];
  /** @param {string} view */
  const check = async (view) => {
    await accessible(ada, `${view}, ${look}`).catch((fault) => faults.push(fault.message));
  };
  const { local } = company.server;
  await startPages(ada, local, check);

  const room = newRoom();
  await enter(ada, local, room);
  await ada.sees(id('alone'));
  await check('alone');
  await ada.click(`${id('alone')} ${id('invite-qr')}`);
  await ada.sees(id('qr'));
  await check('invitation');
  await ada.click(id('invite-dialog-close'));

  const grace = await company.chromium('Grace');
  await enter(grace, local, room);
  for (const person of [ada, grace]) await meets(person, 1);
  await check('room');
  await panels(ada, check);
  await grace.page.close();
  await ada.click(id('leave'));
  await ada.sees(id('left'));
  await check('left');
  await ada.open(local);
  await ada.sees(id('recent-room'));
  await check('home with a recent room');
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

/** @param {Person} ada @param {string} local @param {(view: string) => Promise<void>} check */
async function startPages(ada, local, check) {
  await ada.open(local);
  await ada.sees(id('home'));
  await check('home');
  await ada.fill(id('join-input'), '///');
  await ada.click(id('join'));
  await check('home with an error');
  await ada.open(`${local}/r/${newRoom()}#AAAAAAAAAAAAAAAAAAAAAA`);
  await ada.sees(id('lobby'));
  await check('lobby');
}

/** Whatever the bar opens beside or over the stage. @param {Person} ada @param {(view: string) => Promise<void>} check */
async function panels(ada, check) {
  const names = await ada.evaluate(() =>
    [...document.querySelectorAll('.room button[aria-expanded], .room button[aria-haspopup]')].flatMap((button) => {
      const { testid } = /** @type {HTMLElement} */ (button).dataset;
      return testid && button.getClientRects().length > 0 ? [testid] : [];
    }),
  );
  for (const name of names) {
    await ada.click(id(name));
    await check(`${name} open`);
    await ada.press('Escape');
    if ((await ada.attribute(id(name), 'aria-expanded')) === 'true') await ada.click(id(name));
  }
}
