// The link that is handed to others: it must lead them here, and not to their own machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsQR from 'jsqr';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

/** What a phone's camera reads off the screen. @param {Person} person @returns {Promise<string|undefined>} */
async function scans(person) {
  const picture = await person.page.screenshot();
  // The browser unpacks its own picture.
  const { pixels, width, height } = await person.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const drawing = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    drawing.drawImage(bitmap, 0, 0);
    const { data } = drawing.getImageData(0, 0, bitmap.width, bitmap.height);
    // One byte a pixel is enough for black and white, and quick to hand over.
    const grey = Array.from({ length: data.length / 4 }, (_, at) => String.fromCharCode(data[at * 4 + 1]));
    return { pixels: btoa(grey.join('')), width: bitmap.width, height: bitmap.height };
  }, picture.toString('base64'));
  const grey = Buffer.from(pixels, 'base64');
  const all = new Uint8ClampedArray(grey.length * 4).fill(255);
  grey.forEach((value, at) => all.fill(value, at * 4, at * 4 + 3));
  return jsQR.default(all, width, height)?.data;
}

test('who started the room at localhost hands out an address that others reach', async () => {
  const ada = await company.chromium('Ada', { context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await ada.reads(id('link-caution'), /warn once about the certificate/);
  const shown = await ada.text(id('link'));
  assert.ok(shown.startsWith(`${company.server.network}/r/${room}#`), shown);
  await ada.click(`${id('alone')} ${id('invite')}`);
  await ada.reads(id('toast'), 'Link copied');
  assert.equal(await ada.evaluate(() => navigator.clipboard.readText()), shown);

  await ada.click(`${id('alone')} ${id('invite-qr')}`);
  await ada.sees(id('qr'));
  assert.equal(await scans(ada), shown);
  await ada.press('Escape');

  const grace = await company.chromium('Grace');
  // A stand-in for the system's own list of whom to share with, which no test can see or work.
  await grace.page.addInitScript(() => Object.assign(navigator, { share: async (/** @type {ShareData} */ what) => Object.assign(window, { shared: what }) }));
  await grace.open(shown);
  await grace.fill(id('name'), grace.name);
  await grace.click(id('enter'));
  for (const person of [ada, grace]) await meets(person, 1);
  await grace.click(`.room-top ${id('share')}`);
  assert.deepEqual(await grace.evaluate(() => /** @type {any} */ (window).shared), { title: 'talkie', url: shown });
  await goHome(ada, grace);
});
