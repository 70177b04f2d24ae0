// From opening a room's link to the first picture of the other: talkie against the minimal page, in turn.
import { firstFrame, median, startCall } from './call.mjs';

/**
 * @param {{talkie: string, minimal: string, rounds?: number}} where addresses that join at once
 */
export async function benchJoin({ talkie, minimal, rounds = 8 }) {
  const kinds = [
    { name: 'talkie', call: await startCall(talkie), times: /** @type {number[]} */ ([]) },
    { name: 'minimal', call: await startCall(minimal), times: /** @type {number[]} */ ([]) },
  ];
  for (const { call } of kinds) await call.open();
  for (let round = 0; round <= rounds; round += 1) {
    for (const { call, times } of kinds) {
      const page = await call.open();
      const time = await firstFrame(page);
      // The first round fills the caches.
      if (round > 0) times.push(time);
      await page.close({ runBeforeUnload: false });
      // The one who stays notices, so that each round is a call of two.
      await new Promise((wake) => setTimeout(wake, 700));
    }
  }
  for (const { call } of kinds) await call.close();
  const [ours, theirs] = kinds.map(({ times }) => median(times));
  return { talkie: ours, minimal: theirs, ratio: (ours ?? NaN) / (theirs ?? NaN), rounds };
}
