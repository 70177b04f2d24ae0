// The two kinds of call that are measured, with the same few verbs.
import { launchChromium } from '../../tests/e2e/browser/harness/chromium.mjs';
import { until } from '../../tests/e2e/browser/harness/until.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{browser: import('playwright-core').Browser, open: () => Promise<Page>, close: () => Promise<void>}} Call */

/**
 * Everybody of a call is a tab of one browser.
 * @param {string} address each tab opens it
 * @param {string[]} [args] of the browser
 * @returns {Promise<Call>}
 */
export async function startCall(address, args = []) {
  const browser = await launchChromium({ args });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(watchFirstFrame);
  return {
    browser,
    async open() {
      const page = await context.newPage();
      await page.goto(address);
      return page;
    },
    close: () => browser.close(),
  };
}

/** In the page, before its own scripts: when the first frame of somebody else was shown. */
function watchFirstFrame() {
  const page = /** @type {any} */ (window);
  const seen = new WeakSet();
  const look = () => {
    for (const video of document.querySelectorAll('[data-self="false"] video')) {
      if (seen.has(video)) continue;
      seen.add(video);
      /** @type {HTMLVideoElement} */ (video).requestVideoFrameCallback(() => (page.firstFrame ??= performance.now()));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}

/**
 * Milliseconds from the start of the navigation to the first picture of somebody else.
 * @param {Page} page
 */
export function firstFrame(page) {
  return until('the first frame of another is shown', () => page.evaluate(() => /** @type {any} */ (window).firstFrame));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}
