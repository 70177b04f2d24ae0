// Somebody at a browser: what a person does in the room and sees there, by the page's data-testid.
// The same for Playwright's pages (Chromium) and Puppeteer's (Firefox).
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PATIENCE, until } from './until.mjs';
import { watchConnections, watchPolicy } from './watch.mjs';

/** @typedef {import('playwright-core').Page} PlaywrightPage */
/** @typedef {import('puppeteer-core').Page} PuppeteerPage */

const screenshots =
  process.env.TALKIE_SCREENSHOTS ??
  new URL('../../../../target/screenshots', import.meta.url).pathname;

/** @param {string} testid */
export const id = (testid) => `[data-testid="${testid}"]`;

/** Firefox's own on a connection that failed or was cut, ICE or WebSocket, which no script can catch. */
const FIREFOX_REMARK = /^(WebRTC: ICE failed|Firefox can.t establish a connection|The connection to .* was interrupted)/;

export class Person {
  /** @type {string[]} */
  complaints = [];

  /**
   * @param {string} name
   * @param {PlaywrightPage | PuppeteerPage} page
   * @param {string} [downloads]
   */
  constructor(name, page, downloads = '') {
    this.name = name;
    /** Where the browser saves to; Playwright knows by itself. */
    this.downloads = downloads;
    this.page = /** @type {any} */ (page);
    this.page.on('pageerror', (/** @type {Error} */ { message }) => {
      if (!FIREFOX_REMARK.test(message)) this.complaints.push(`uncaught: ${message}`);
    });
    this.page.on('console', (/** @type {any} */ message) => {
      if (['error', 'warn', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
  }

  /** Call once, before the first page is opened. */
  async prepare() {
    const page = this.page;
    for (const watch of [watchConnections, watchPolicy]) {
      if (page.addInitScript) await page.addInitScript(watch);
      else await page.evaluateOnNewDocument(watch);
    }
    return this;
  }

  /** @param {string} address */
  async open(address) {
    await this.page.goto(address, { waitUntil: 'load', timeout: PATIENCE });
  }

  /**
   * Runs a function in the page.
   * @template A, R
   * @param {(argument: A) => R} inPage
   * @param {A} [argument]
   * @returns {Promise<Awaited<R>>}
   */
  evaluate(inPage, argument) {
    return this.page.evaluate(inPage, argument);
  }

  /** How many elements there are. @param {string} selector */
  count(selector) {
    return this.evaluate((s) => document.querySelectorAll(s).length, selector);
  }

  /** @param {string} selector @returns {Promise<string>} the visible text, empty when not there */
  text(selector) {
    return this.evaluate((s) => {
      const element = /** @type {HTMLElement|null} */ (document.querySelector(s));
      return element?.innerText ?? '';
    }, selector);
  }

  /** @param {string} selector @param {string} name */
  attribute(selector, name) {
    return this.evaluate(([s, n]) => document.querySelector(s)?.getAttribute(n) ?? null, [selector, name]);
  }

  /** @param {string} selector */
  async sees(selector) {
    await until(`${this.name} sees ${selector}`, () =>
      this.evaluate((s) => {
        const element = document.querySelector(s);
        return element !== null && element.getClientRects().length > 0;
      }, selector),
    );
  }

  /** @param {string} selector @param {string | RegExp} words */
  async reads(selector, words) {
    await until(`${this.name} reads ${words} in ${selector}`, async () => {
      const text = await this.text(selector);
      if (typeof words === 'string' ? text.includes(words) : words.test(text)) return true;
      throw new Error(`the text is ${JSON.stringify(text)}`);
    });
  }

  /** @param {string} selector */
  async click(selector) {
    await this.sees(selector);
    await this.page.locator(selector).click();
  }

  /** @param {string} selector @param {string} text */
  async fill(selector, text) {
    await this.sees(selector);
    await this.page.locator(selector).fill(text);
  }

  /** @param {string} key */
  async press(key) {
    await this.page.keyboard.press(key);
  }

  /** Hands files to a file input, which may be hidden. @param {string} selector @param {string[]} paths */
  async choose(selector, ...paths) {
    if (this.page.setInputFiles) await this.page.setInputFiles(selector, paths);
    else await (await this.page.$(selector)).uploadFile(...paths);
  }

  /**
   * Clicks a link that downloads, and returns where the file is.
   * @param {string} selector
   * @param {string} name what the file is called
   * @param {number} bytes how long it is
   */
  async save(selector, name, bytes) {
    await this.sees(selector);
    if (this.page.waitForEvent) {
      const download = this.page.waitForEvent('download', { timeout: PATIENCE });
      await this.click(selector);
      return (await download).path();
    }
    const path = join(this.downloads, name);
    await this.click(selector);
    await until(`${path} is complete`, async () => (await stat(path)).size === bytes);
    return path;
  }

  /** What no page may ever do. */
  wellBehaved() {
    const bad = this.complaints.filter((text) => /uncaught|content security policy/i.test(text));
    if (bad.length > 0) throw new Error(`${this.name}'s page: ${bad.join('; ')}`);
  }

  /** @param {string} name of the picture, without its ending */
  async screenshot(name) {
    await mkdir(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`) });
  }
}
