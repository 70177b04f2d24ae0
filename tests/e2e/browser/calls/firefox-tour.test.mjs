// Every view in Firefox: axe-core has nothing to object to, the policy refuses nothing, and home does
// what it says. Chromium's part is accessible.test.mjs and home.test.mjs.
import { test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';
import { entrance, lookLike, LOOKS, openings, refuses, wayOut } from '../harness/tour.mjs';

const company = Company.gather();

test('axe-core finds nothing to object to in Firefox, nor does the policy', async () => {
  /** @type {string[]} */
  const faults = [];
  const mitchell = await company.firefox('Mitchell');
  if (LOOKS[0]) await lookLike(mitchell, LOOKS[0]);
  /** @param {string} view */
  const judge = (view) => accessible(mitchell, view).catch((fault) => void faults.push(fault.message));
  const { local } = company.server;
  const room = newRoom();
  await entrance(mitchell, local, room, judge);
  const ada = await company.chromium('Ada');
  await enter(ada, local, room);
  for (const person of [mitchell, ada]) await meets(person, 1);
  await openings(mitchell, judge);
  await wayOut(mitchell, local, judge);
  mitchell.wellBehaved();
  await refuses(mitchell);
  await goHome(ada);
  await mitchell.page.close();
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
