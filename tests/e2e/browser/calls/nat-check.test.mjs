// /check behind NATs: what it says of the router by the two ports and two addresses of the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finished, openCheck } from '../harness/check.mjs';
import { launchChromium } from '../harness/chromium.mjs';
import { NatLab } from '../harness/nat-lab.mjs';
import { Person } from '../harness/person.mjs';

test('/check tells a router that keeps its ports from one that takes others', async () => {
  const lab = await NatLab.up({ left: 'port-restricted', right: 'symmetric' });
  /** @type {import('playwright-core').Browser[]} */
  const browsers = [];
  try {
    for (const [side, kind] of /** @type {const} */ ([['left', 'natSteady'], ['right', 'natSymmetric']])) {
      const browser = await launchChromium(await lab.browser(side));
      browsers.push(browser);
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const person = await new Person(side, await context.newPage()).prepare();
      await openCheck(person, lab.server);
      assert.equal(await finished(person), 'allWorks');
      const remarks = await person.evaluate(() => [...document.querySelectorAll('[data-testid="findings"] [data-code]')].map((one) => /** @type {HTMLElement} */ (one).dataset.code ?? ''));
      assert.deepEqual(remarks.filter((code) => code.startsWith('nat')), [kind], side);
    }
  } finally {
    for (const browser of browsers) await browser.close();
    await lab.down();
  }
});
