// Everybody and everything that a test file starts, closed at its end whatever happens.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { launchChromium, launchChromiumWithTabs } from './chromium.mjs';
import { launchFirefox } from './firefox.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';

/** @typedef {import('playwright-core').BrowserContextOptions} ContextOptions */
/** @typedef {NonNullable<Parameters<typeof launchChromium>[0]>} ChromiumOptions */

export class Company {
  /** @type {(() => Promise<unknown>)[]} */
  #farewells = [];
  /** @type {Map<string, Promise<import('playwright-core').Browser>>} */
  #chromiums = new Map();
  /** @type {Map<string, Promise<{browser: import('puppeteer-core').Browser, downloads: string}>>} */
  #firefoxes = new Map();
  /** @type {Server | undefined} */
  #server;

  get server() {
    if (!this.#server) throw new Error('the server is started before the first test');
    return this.#server;
  }

  /**
   * A server for all tests of this file.
   * @param {string[]} flags
   */
  static gather(...flags) {
    const company = new Company();
    before(async () => {
      company.#server = await Server.start(...flags);
    });
    after(async () => {
      const ended = await Promise.allSettled(company.#farewells.reverse().map((say) => say()));
      await company.#server?.stop();
      const failed = ended.find((outcome) => outcome.status === 'rejected');
      if (failed) throw /** @type {PromiseRejectedResult} */ (failed).reason;
    });
    return company;
  }

  /**
   * Somebody with Chromium.
   * @param {string} name
   * @param {{browser?: ChromiumOptions, context?: ContextOptions}} [options]
   */
  async chromium(name, { browser = {}, context = {} } = {}) {
    const kind = JSON.stringify(browser);
    let started = this.#chromiums.get(kind);
    if (!started) {
      started = launchChromium(browser);
      this.#chromiums.set(kind, started);
      this.#farewells.push(async () => (await started)?.close());
    }
    const own = await (await started).newContext({ ignoreHTTPSErrors: true, ...context });
    return new Person(name, await own.newPage()).prepare();
  }

  /** Somebody with a Chromium whose tabs can be hidden by others. @param {string} name */
  async tabbed(name) {
    const browser = await launchChromiumWithTabs();
    this.#farewells.push(() => browser.close());
    return new Person(name, await browser.newPage()).prepare();
  }

  /** Somebody with Firefox. @param {string} name @param {{prefs?: Record<string, unknown>}} [options] settings beside the usual ones */
  async firefox(name, { prefs = {} } = {}) {
    const kind = JSON.stringify(prefs);
    const started = this.#firefoxes.get(kind) ?? this.#startFirefox(prefs);
    this.#firefoxes.set(kind, started);
    const { browser, downloads } = await started;
    return new Person(name, await browser.newPage(), downloads).prepare();
  }

  /** @param {Record<string, unknown>} prefs */
  async #startFirefox(prefs) {
    const downloads = await mkdtemp(join(tmpdir(), 'talkie-e2e-firefox-'));
    const browser = await launchFirefox(downloads, prefs);
    this.#farewells.push(async () => {
      await browser.close();
      await rm(downloads, { recursive: true, force: true });
    });
    return { browser, downloads };
  }
}

/** People go when their test is over; a page that misbehaved fails it. @param {Person[]} people */
export async function goHome(...people) {
  for (const person of people) {
    person.wellBehaved();
    await person.page.close();
  }
}
