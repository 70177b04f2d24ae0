// The link that is handed to others: it must lead them here, and not to their own machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';

const company = Company.gather();

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

  const grace = await company.chromium('Grace');
  await grace.open(shown);
  await grace.fill(id('name'), grace.name);
  await grace.click(id('enter'));
  for (const person of [ada, grace]) await meets(person, 1);
  await goHome(ada, grace);
});
