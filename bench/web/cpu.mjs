// CPU of the pages of a call of three in which nothing happens: talkie against the minimal page, which
// sends and shows the same streams. Pictures come five times a second, so that encoding them leaves room
// for what differs and two cores are not busy all the time.
import { median, startCall } from './call.mjs';
import { until } from '../../tests/e2e/browser/harness/until.mjs';

/** @import {Call} from './call.mjs' */

const PEOPLE = 3;
const FLAGS = ['--use-fake-device-for-media-stream=fps=5'];
const SETTLE_MS = 15_000;
const MEASURE_MS = 20_000;

/**
 * CPU-seconds a second of all pages together, by kind of call.
 * @param {{talkie: (round: number) => string, minimal: string, rounds?: number}} where addresses that join at
 *   once; a room of its own for each round, because the browser of the last one goes without a word
 */
export async function benchCpu({ talkie, minimal, rounds = 3 }) {
  const kinds = [
    { address: talkie, shares: /** @type {number[]} */ ([]) },
    { address: () => minimal, shares: /** @type {number[]} */ ([]) },
  ];
  for (let round = 0; round < rounds; round += 1) {
    for (const { address, shares } of kinds) shares.push(await share(address(round)));
  }
  const [ours, theirs] = kinds.map(({ shares }) => median(shares));
  return { talkie: ours, minimal: theirs, ratio: (ours ?? NaN) / (theirs ?? NaN), rounds };
}

/** @param {string} address */
async function share(address) {
  const call = await startCall(address, FLAGS);
  try {
    for (let others = 0; others < PEOPLE; others += 1) {
      // One after the other: the minimal page has no answer to two who come at once.
      const page = await call.open();
      await until('everybody is seen', () => page.evaluate(othersSeen, others));
    }
    await pause(SETTLE_MS);
    const [before, from] = [await spent(call), performance.now()];
    await pause(MEASURE_MS);
    return ((await spent(call)) - before) / ((performance.now() - from) / 1000);
  } finally {
    await call.close();
  }
}

/** In the page: whether so many others' pictures are there. @param {number} count */
function othersSeen(count) {
  const videos = [...document.querySelectorAll('video')].filter((video) => video.id !== 'own' && !video.closest('[data-self="true"]'));
  return videos.filter((video) => video.videoWidth > 0 && video.currentTime > 0).length >= count;
}

/** CPU-seconds that the browser's pages have taken so far. @param {Call} call */
async function spent({ browser }) {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  await devtools.detach();
  return processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** @param {number} ms */
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
