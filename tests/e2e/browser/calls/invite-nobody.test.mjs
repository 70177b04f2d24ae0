// A server that nobody else reaches says so, instead of handing out a link that leads nowhere.
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, newRoom } from '../harness/room.mjs';

const company = Company.gather('--https', 'none');

test('without an address for others the page says so', async () => {
  const ada = await company.chromium('Ada');
  const room = newRoom();
  await enter(ada, company.server.local, room);
  await ada.reads(id('link-caution'), /works only on this computer.*--https/);
  await ada.reads(id('link'), `${company.server.local}/r/${room}`);
  await goHome(ada);
});
