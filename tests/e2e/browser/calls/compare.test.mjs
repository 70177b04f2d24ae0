// WebSocket against data channel, measured by the page itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

/** @param {import('../harness/person.mjs').Person} person */
async function reads(person) {
  await until(`${person.name} has the results`, async () => {
    if ((await person.count(id('compare-verdict'))) > 0) return true;
    throw new Error(await person.text(id('compare-state')));
  }, { patience: 120_000 });
  return person.evaluate(() => {
    const cell = (/** @type {string} */ way, /** @type {number} */ at) =>
      document.querySelectorAll(`[data-testid="compare-trips"] [data-way="${way}"] td`)[at]?.textContent ?? '';
    return {
      medians: ['socket', 'channel', 'loose'].map((way) => parseFloat(cell(way, 0))),
      lost: ['socket', 'channel'].map((way) => cell(way, 3)),
      flows: document.querySelector('[data-testid="compare-flows"] svg')?.getAttribute('aria-label') ?? '',
      path: document.querySelector('[data-testid="compare-path"]')?.getAttribute('data-path') ?? '',
      dots: document.querySelectorAll('.plot circle').length,
    };
  });
}

test('a Chromium and a Firefox compare a WebSocket with a data channel', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.firefox('Grace')];
  await ada.open(`${company.server.network}/compare`);
  await ada.sees(id('compare-pair'));
  const link = await ada.text(id('compare-link'));
  assert.match(link, /\/compare#[\w-]{22}$/);
  await grace.open(link);
  await grace.reads(id('compare-words'), 'the other end');
  const { medians, lost, flows, path, dots } = await reads(ada);
  for (const median of medians) assert.ok(median > 0 && median < 2000, `${medians}`);
  assert.deepEqual(lost, ['0 %', '0 %']);
  const rates = [...flows.matchAll(/([\d,.]+) Mbit\/s/g)].map(([, rate]) => parseFloat((rate ?? '').replace(',', '')));
  assert.equal(rates.length, 4, flows);
  for (const rate of rates) assert.ok(rate > 1, flows);
  assert.notEqual(path, '');
  assert.ok(dots > 300, `${dots} dots`);
  await goHome(ada);
  await grace.reads(id('compare-words'), 'has gone');
  await goHome(grace);
});

// That one browser alone gets to its results is seen where the pictures are made.
test('one browser alone measures both ends, and can be stopped', async () => {
  const ada = await company.chromium('Ada');
  await ada.open(`${company.server.local}/compare`);
  await ada.click(id('compare-alone'));
  await ada.reads(id('compare-words'), 'Measuring');
  await ada.click(id('compare-action'));
  await ada.reads(id('compare-words'), 'Stopped');
  await goHome(ada);
});
