// Every way for files into a room and out of it: pasted, dropped on one or on all, addressed, saved to a
// picked place; and what hostile names become on the way.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, digestOf, drags, IN, offers, picksPrivateFile, readsPicked, rows, withoutPickers } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, openPanel } from '../harness/room.mjs';
import { pick } from '../harness/settings.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** @type {Person} */ let ada;
/** @type {Person} */ let grace;
/** @type {Person} */ let mitchell;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-ways-'));
  ada = await company.chromium('Ada', { context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  grace = await company.chromium('Grace');
  mitchell = await company.firefox('Mitchell');
  await picksPrivateFile(grace);
  await withoutPickers(mitchell);
  const room = newRoom();
  for (const person of [ada, grace, mitchell]) await enter(person, company.server.network, room, 'nomedia');
  for (const person of [ada, grace, mitchell]) await meets(person, 2);
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await goHome(ada, grace, mitchell);
});

/** @param {string} name @param {string} [words] */
async function note(name, words = name) {
  const path = join(folder, name);
  await writeFile(path, words);
  return path;
}

/** @param {Person} person @param {string} name or a part of it */
const offered = (person, name) => until(`${person.name} is offered ${name}`, async () => (await rows(person, 'in')).find((/** @type {any} */ t) => t.name.includes(name)));

/** Who has been offered something of this name. @param {string} name */
async function offeredTo(name) {
  const all = await Promise.all([ada, grace, mitchell].map(async (person) => ((await rows(person, 'in')).some((/** @type {any} */ t) => t.name === name) ? person.name : '')));
  return all.filter(Boolean);
}

/** Accepts an offer and returns what was saved. @param {Person} person @param {string} name @param {number} bytes */
async function takes(person, name, bytes) {
  await person.click(`${IN} ${id('file-accept')}[aria-label="Accept: ${name}"]`);
  assert.equal((await becomes(person, 'in', 'done')).verified, true);
  const saved = await person.save(`${IN}[data-state="done"] ${id('file-save')}`, name, bytes);
  return readFile(saved);
}

test('the list says who gets it: one, or everybody', async () => {
  await openPanel(ada, 'files');
  const key = await ada.evaluate(() => /** @type {any} */ (window).talkie.state.peers.find((/** @type {any} */ p) => p.name === 'Grace').key);
  await pick(ada, id('file-to'), key);
  await offers(ada, await note('for Grace.txt'));
  await offered(grace, 'for Grace.txt');
  await pick(ada, id('file-to'), '');
  await offers(ada, await note('for all.txt'));
  await until('both are offered it', async () => (await offeredTo('for all.txt')).length === 2);
  assert.deepEqual(await offeredTo('for Grace.txt'), ['Grace']);
});

test('files are dragged onto one person, a folder onto all', async () => {
  const { over, drop } = await drags(ada, await note('dropped.txt'));
  await ada.sees(id('drop-overlay'));
  const zones = await ada.evaluate((s) => [...document.querySelectorAll(s)].map((zone) => zone.textContent), id('drop-zone'));
  assert.deepEqual(zones, ['Drop here to send to everybody', 'Drop here to send to Grace', 'Drop here to send to Mitchell']);
  const place = `${id('drop-zone')}:nth-child(3)`;
  await over(place);
  await ada.sees(`${place}[data-over]`);
  await ada.screenshot('drop-overlay');
  await drop(place);
  await offered(mitchell, 'dropped.txt');
  assert.equal(await ada.count(`${id('drop-overlay')}[hidden]`), 1);
  assert.equal(String(await takes(mitchell, 'dropped.txt', 11)), 'dropped.txt');
  assert.deepEqual(await offeredTo('dropped.txt'), ['Mitchell']);

  await mkdir(join(folder, 'trip', 'day'), { recursive: true });
  await note('trip/a.txt');
  await note('trip/day/b.txt');
  const second = await drags(ada, join(folder, 'trip'));
  await second.drop(`${id('drop-zone')}:nth-child(1)`);
  for (const person of [grace, mitchell]) {
    const trip = await offered(person, 'trip');
    assert.deepEqual(trip.files.map((/** @type {any} */ f) => f.path).sort(), ['trip/a.txt', 'trip/day/b.txt']);
  }
});

test('beside the places nothing is dropped, and the browser does not open it', async () => {
  const { drop } = await drags(ada, await note('missed.html', '<title>opened</title>'));
  await ada.sees(id('drop-overlay'));
  await drop(id('drop-overlay'), { x: 3, y: 3 });
  await until('the overlay goes', async () => (await ada.count(`${id('drop-overlay')}[hidden]`)) === 1);
  await ada.sees(id('room'));
  assert.deepEqual(await offeredTo('missed.html'), []);
});

test('what is pasted is sent after a question', async () => {
  // A picture in the clipboard, and the real key for it.
  await ada.evaluate(async () => {
    const canvas = document.createElement('canvas');
    const picture = await new Promise((/** @type {(blob: Blob) => void} */ made) => canvas.toBlob((blob) => made(/** @type {Blob} */ (blob))));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
    /** @type {HTMLElement|null} */ (document.activeElement)?.blur();
  });
  await ada.press('Control+v');
  await ada.reads(id('paste-dialog'), 'image.png');
  await ada.click(id('paste-cancel'));
  await ada.press('Control+v');
  await ada.click(id('paste-send'));
  await until('both are offered it', async () => (await offeredTo('image.png')).length === 2);
  assert.equal((await rows(mitchell, 'in')).filter((/** @type {any} */ t) => t.name === 'image.png').length, 1, 'not what was cancelled');

  // A page can put no files into the clipboard, so for several the event is made, which Firefox lets one fill.
  await mitchell.evaluate(() => {
    const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
    for (const name of ['one.txt', 'two.txt']) event.clipboardData?.items.add(new File([name], name));
    document.body.dispatchEvent(event);
  });
  await mitchell.reads(id('paste-dialog'), 'one.txt and 1 file more');
  await mitchell.click(id('paste-send'));
  await until('everybody is offered both', async () => (await offeredTo('two.txt')).length === 2);
});

test('a picked file is written directly; who picks none can pick again', async () => {
  const path = await note('large.bin');
  await truncate(path, 33 * 2 ** 20);
  await offers(ada, path);
  const { place } = await offered(grace, 'large.bin');
  assert.equal(place, 'file');
  await grace.evaluate(() => void (/** @type {any} */ (window).pickNothing = true));
  const accept = `${IN} ${id('file-accept')}[aria-label="Accept: large.bin"]`;
  await grace.click(accept);
  await until('the picker was closed', () => grace.evaluate(() => /** @type {any} */ (window).pickNothing === false));
  assert.equal((await rows(grace, 'in')).at(-1).state, 'offered');
  await grace.click(accept);
  assert.equal((await becomes(grace, 'in', 'done')).verified, true);
  const { name, sha256 } = await readsPicked(grace);
  assert.deepEqual([name, sha256], ['large.bin', await digestOf(path)]);
});

test('hostile names are words and nothing else, and saved cleaned', async () => {
  const hostile = '<img src=x onerror=window.hurt=1>\u202Egpj..exe\u0007';
  await offers(mitchell, await note(hostile, 'harmless'));
  const { name: clean } = await offered(ada, 'onerror');
  for (const bad of ['\u202E', '\u0007', '/']) assert.ok(!clean.includes(bad), clean);
  await ada.reads('.file-name', 'onerror');
  assert.equal(await ada.count('.panel-body img'), 0);
  assert.equal(await ada.evaluate(() => /** @type {any} */ (window).hurt), undefined);
  await ada.click(`${IN} ${id('file-accept')}[aria-label*="onerror"]`);
  await becomes(ada, 'in', 'done');
  const saving = ada.page.waitForEvent('download');
  await ada.click(`${IN}[data-state="done"] ${id('file-save')}`);
  const saved = (await saving).suggestedFilename();
  for (const bad of '<>:"|?*\u202E\u0007/\\') assert.ok(!saved.includes(bad), saved);
  assert.match(saved, /exe$/);
});
