// /check in Firefox, which says less about what fails and wants a name for TURN over TLS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, finished, legs, measure, openCheck } from '../harness/check.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { CARD } from '../harness/server.mjs';

const company = Company.gather('--turn-user', 'ada:lovelace');

test('by name every way to the relay works, by address TLS wants a name; refusals are told apart', async () => {
  const grace = await company.firefox('Grace');
  await openCheck(grace, company.server.named);
  assert.equal(await finished(grace), 'allWorks');
  const found = await legs(grace);
  assert.deepEqual(Object.values(found), ['works', 'works', 'works', 'works']);
  const tcp = Object.keys(found).find((url) => url.startsWith('turn:') && url.includes('tcp')) ?? assert.fail();
  const row = await measure(grace, tcp);
  assert.equal(row.path, 'relay');
  assert.ok(row.rate > 0.1 && row.median >= 0, JSON.stringify(row));

  await openCheck(grace, company.server.network);
  assert.equal(await finished(grace), 'udpWorks');
  assert.deepEqual(Object.values(await legs(grace)), ['works', 'works', 'works', 'needsName']);

  await grace.click(id('ice-form'));
  const wrong = `turn:${CARD}:3478?transport=udp`;
  const closed = `turn:${CARD}:7999?transport=tcp`;
  await ask(grace, wrong, 'ada', 'byron');
  await ask(grace, closed, 'ada', 'lovelace');
  await finished(grace, closed);
  assert.deepEqual(await legs(grace), { [wrong]: 'credentials', [closed]: 'closed' });
  await goHome(grace);
});
