// Every view by axe-core, contrast and the size of targets included: light and dark, desktop and phone.
import { test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { enter, meets, newRoom } from '../harness/room.mjs';
import { entrance, lookLike, LOOKS, openings, wayOut } from '../harness/tour.mjs';

const company = Company.gather();

/** What another light, or another width, can change; all else is the same page. @type {Record<string, string[]|undefined>} */
const RULES = { 'desktop-dark': ['color-contrast'], 'phone-light': ['color-contrast', 'target-size'] };

test('axe-core finds nothing to object to', async () => {
  const began = Date.now();
  /** @type {string[]} */
  const faults = [];
  const ada = await company.chromium('Ada', { context: { reducedMotion: 'reduce' } });
  /** All are looked at before anything is said, so that one run tells all. @param {string} view */
  const judge = async (view) => {
    const from = Date.now();
    for (const look of LOOKS) {
      await lookLike(ada, look);
      await accessible(ada, `${view}, ${look.name}`, RULES[look.name]).catch((fault) => faults.push(fault.message));
    }
    if (LOOKS[0]) await lookLike(ada, LOOKS[0]);
    console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${view}, ${Date.now() - from} ms, ${faults.length} faults`);
  };
  const { local } = company.server;
  /** @type {unknown} */
  let broken = null;
  try {
    const room = newRoom();
    await entrance(ada, local, room, judge);
    const grace = await company.chromium('Grace');
    await enter(grace, local, room);
    for (const person of [ada, grace]) await meets(person, 1);
    await judge('room');
    await openings(ada, judge);
    await goHome(grace);
    await wayOut(ada, local, judge);
    await goHome(ada);
  } catch (error) {
    broken = error;
  }
  // Both are worth knowing when a step fails after some faults.
  if (faults.length > 0) throw new Error(faults.join('\n'), { cause: broken });
  if (broken) throw broken;
});
