// Files handed over in a room: what people press for it, and what they see.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { id } from './person.mjs';
import { openPanel } from './room.mjs';
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */

export const IN = '[data-testid="file"][data-direction="in"]';
export const OUT = '[data-testid="file"][data-direction="out"]';

/** As in browsers that have no file pickers of their own. Before the page is opened. @param {Person} person */
export async function withoutPickers(person) {
  const forget = () => {
    delete (/** @type {any} */ (window).showSaveFilePicker);
    delete (/** @type {any} */ (window).showDirectoryPicker);
  };
  if (person.page.addInitScript) await person.page.addInitScript(forget);
  else await person.page.evaluateOnNewDocument(forget);
}

/**
 * As in browsers whose pages have no private files: what is no more than 256 MB takes the way of large
 * files there. The tests themselves still have them as `window.privateFiles()`.
 * @param {Person} person in Chromium, before the page is opened
 */
export function withoutPrivateFiles(person) {
  return person.page.addInitScript(() => {
    const open = StorageManager.prototype.getDirectory;
    /** @type {any} */ (window).privateFiles = () => open.call(navigator.storage);
    StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('none here', 'SecurityError'));
  });
}

/** @param {Person} person @param {string[]} paths */
export async function offers(person, ...paths) {
  await openPanel(person, 'files');
  await person.choose(id('file-input'), ...paths);
}

/** What the rows of one direction say, the oldest first. @param {Person} person @param {'in'|'out'} direction */
export function rows(person, direction) {
  return person.evaluate((d) => /** @type {any} */ (window).talkie.state.transfers.filter((/** @type {any} */ t) => t.direction === d), direction);
}

/**
 * @param {Person} person
 * @param {'in'|'out'} direction
 * @param {string} state
 * @param {{patience?: number, at?: number}} [options] at: of which one, the latest if not said
 */
export function becomes(person, direction, state, { patience = 120_000, at = -1 } = {}) {
  return until(`${person.name}'s transfer is ${state}`, async () => {
    const row = (await rows(person, direction)).at(at);
    if (row?.state === state) return row;
    const failed = row?.state === 'failed' || row?.state === 'cancelled';
    throw Object.assign(new Error(JSON.stringify(row && { ...row, files: undefined })), { fatal: failed && state === 'done' });
  }, { patience });
}

/** Waits until so many bytes are stored. @param {Person} person @param {number} bytes */
export function stores(person, bytes) {
  return until(`${person.name} has stored ${bytes} bytes`, async () => {
    const row = (await rows(person, 'in')).at(-1);
    if (row?.bytes >= bytes) return row;
    throw new Error(JSON.stringify(row && { ...row, files: undefined }));
  }, { patience: 120_000 });
}

/** @param {string} path */
export async function digestOf(path) {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 22 })) hash.update(piece);
  return hash.digest('hex');
}

/**
 * What no file backs, of all processes of a browser together.
 * @param {'chromium'|'firefox'} browser
 * @returns {Promise<number>} bytes
 */
export async function memoryOf(browser) {
  let sum = 0;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (!(await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0]?.includes(browser)) continue;
      sum += Number(/RssAnon:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

/**
 * Drags files or folders from outside over the page, as the system would tell the browser (Chromium).
 * @param {Person} person
 * @param {string[]} files
 */
export async function drags(person, ...files) {
  const session = await person.page.context().newCDPSession(person.page);
  const data = { items: [], files, dragOperationsMask: 1 };
  const tell = (/** @type {string} */ type, /** @type {{x: number, y: number}} */ at) => session.send('Input.dispatchDragEvent', { type, ...at, data });
  /** @param {string} selector @param {{x: number, y: number}} [within] its middle if not said */
  const placeOf = async (selector, within) => {
    const { x, y, width, height } = await person.page.locator(selector).boundingBox();
    return within ? { x: x + within.x, y: y + within.y } : { x: x + width / 2, y: y + height / 2 };
  };
  await tell('dragEnter', { x: 200, y: 200 });
  /** @param {string} selector @param {{x: number, y: number}} [within] */
  const over = async (selector, within) => tell('dragOver', await placeOf(selector, within));
  return {
    over,
    /** @param {string} selector @param {{x: number, y: number}} [within] */
    async drop(selector, within) {
      await over(selector, within);
      await tell('drop', await placeOf(selector, within));
    },
  };
}

/**
 * The system's dialog cannot be driven: instead of it, a file in the page's private files, which the app is
 * not to find, is picked: a handle of the same kind. `window.pickNothing` closes the dialog once without a choice.
 * @param {Person} person in Chromium, before the page is opened
 */
export async function picksPrivateFile(person) {
  await withoutPrivateFiles(person);
  await person.page.addInitScript(() => {
    const page = /** @type {any} */ (window);
    page.showSaveFilePicker = async (/** @type {{suggestedName: string}} */ { suggestedName }) => {
      if (!navigator.userActivation.isActive) throw new DOMException('no gesture', 'SecurityError');
      if (page.pickNothing) {
        page.pickNothing = false;
        throw new DOMException('closed', 'AbortError');
      }
      page.picked = await (await page.privateFiles()).getFileHandle(suggestedName, { create: true });
      return page.picked;
    };
  });
}

/** @param {Person} person @returns {Promise<{name: string, sha256: string}>} what is in the picked file */
export function readsPicked(person) {
  return person.evaluate(async () => {
    const file = await /** @type {any} */ (window).picked.getFile();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    return { name: file.name, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  });
}
