// Leads somebody past everything that the app can show, and stops at each view for whoever wants to look.
import { finished } from './check.mjs';
import { id } from './person.mjs';
import { linkTo } from './room.mjs';
import { closeSettings, openSettings } from './settings.mjs';
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */
/** @typedef {(view: string) => Promise<void>} Stop */
/** @typedef {{name: string, size: {width: number, height: number}, colorScheme: 'light'|'dark'}} Look */

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** @type {Look[]} the first is the one in which everything is pressed */
export const LOOKS = [
  { name: 'desktop-light', size: DESKTOP, colorScheme: 'light' },
  { name: 'desktop-dark', size: DESKTOP, colorScheme: 'dark' },
  { name: 'phone-dark', size: PHONE, colorScheme: 'dark' },
  { name: 'phone-light', size: PHONE, colorScheme: 'light' },
];

/**
 * The same page in another light and another window. Nothing moves, so that what is seen is what stays.
 * Firefox's driver knows of windows only.
 * @param {Person} person @param {Look} look
 */
export async function lookLike(person, { size, colorScheme }) {
  await person.page.emulateMedia?.({ colorScheme, reducedMotion: 'reduce' });
  await (person.page.setViewportSize ? person.page.setViewportSize(size) : person.page.setViewport(size));
  await person.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}

/** Up to the room, where nobody else is. @param {Person} person @param {string} server @param {string} room @param {Stop} stop */
export async function entrance(person, server, room, stop) {
  await person.open(server);
  await person.sees(id('home'));
  await stop('home');
  await person.fill(id('join-input'), '///');
  await person.click(id('join'));
  await stop('home-error');
  await person.open(linkTo(server, room));
  await person.sees(id('lobby'));
  await until('the preview has a picture', () => person.evaluate((s) => (/** @type {HTMLVideoElement|null} */ (document.querySelector(s))?.videoWidth ?? 0) > 0, id('preview')));
  await person.fill(id('name'), person.name);
  await stop('lobby');
  await person.click(id('enter'));
  await person.sees(id('alone'));
  await stop('alone');
  await person.click(`${id('alone')} ${id('invite-qr')}`);
  await person.sees(id('qr'));
  await stop('invitation');
  await person.click(id('invite-dialog-close'));
}

/** All that opens beside or over the stage. @param {Person} person in a room with others @param {Stop} stop */
export async function openings(person, stop) {
  for (const panel of ['chat', 'files']) {
    await person.click(id(panel));
    await person.sees(id('panel'));
    await stop(panel);
  }
  await person.click(id('more'));
  await stop('more');
  await person.click(id('connection'));
  await person.sees(id('connection-panel'));
  await stop('connection');
  await person.click(id('people'));
  await person.sees(id('people-panel'));
  await stop('people');
  await person.click(`[data-testid="person"][data-self="false"] ${id('safety-open')}`);
  await person.sees(id('safety-number'));
  await stop('safety');
  await person.press('Escape');
  await person.click(id('panel-close'));
  await person.click(id('react'));
  await stop('react');
  await person.press('Escape');
  await person.click(id('more'));
  await person.click(id('help'));
  await person.sees(id('shortcuts-help'));
  await stop('help');
  await person.click(id('shortcuts-help-close'));
  await settings(person, stop);
}

/** @param {Person} person @param {Stop} stop */
async function settings(person, stop) {
  await openSettings(person, 'audio');
  for (const tab of ['audio', 'video', 'effects', 'sending', 'general']) {
    await person.click(id(`tab-${tab}`));
    await person.sees(id(`panel-${tab}`));
    await stop(`settings-${tab}`);
  }
  await closeSettings(person);
}

/** Out of the room, and the pages beside it. @param {Person} person @param {string} server @param {Stop} stop */
export async function wayOut(person, server, stop) {
  await person.click(id('leave'));
  await person.sees(id('left'));
  await stop('left');
  await person.open(server);
  await person.sees(id('recent-room'));
  await stop('home-recent');
  await person.open(`${server}/check`);
  await person.sees(id('check'));
  await finished(person);
  await stop('check');
  await person.open(`${server}/sdp`);
  await person.click(id('sdp-own'));
  await person.reads(id('sdp-summary'), /\d/);
  await stop('sdp');
  await person.click(id('tab-edit'));
  await person.click(id('codec-0-9'));
  await person.sees(id('diff-fold'));
  await stop('sdp-edit');
  await person.open(`${server}/compare`);
  await person.sees(id('compare-pair'));
  await stop('compare');
  await person.click(id('compare-alone'));
  await until('the two ways are compared', async () => (await person.count(id('compare-verdict'))) > 0, { patience: 120_000 });
  await stop('compare-results');
}

/** That what the policy refuses is noticed at all: the page asks for something of another origin. @param {Person} person */
export async function refuses(person) {
  await person.evaluate(() => void (new Image().src = 'https://example.org/nothing.png'));
  await until(`${person.name}'s page says what its policy refused`, () => person.complaints.some((text) => /content security policy.*example\.org/i.test(text)));
}
