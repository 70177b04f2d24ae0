// CPU of an idle room of three against the minimal page with the same cameras: what the browser's
// processes use, by their own count, over the same time.
import { until } from '../../tests/e2e/browser/harness/until.mjs';
import { startCall } from './call.mjs';

/** @param {import('./call.mjs').Call} call @returns {Promise<number>} CPU seconds of all processes so far */
async function cpuSeconds(call) {
  const session = await call.browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, one) => sum + one.cpuTime, 0);
}

/**
 * @param {{talkie: string, minimal: string, seconds?: number}} where
 */
export async function benchCpu({ talkie, minimal, seconds = 20 }) {
  /** @type {Record<string, number>} */
  const used = {};
  for (const [name, address] of Object.entries({ talkie, minimal })) {
    const call = await startCall(address);
    const pages = [await call.open(), await call.open(), await call.open()];
    for (const page of pages) await until(`${name}: three pictures`, async () => (await call.frames(page)) >= 3);
    // Until encoders have found their rate.
    await new Promise((wake) => setTimeout(wake, 12_000));
    const before = await cpuSeconds(call);
    await new Promise((wake) => setTimeout(wake, seconds * 1000));
    used[name] = ((await cpuSeconds(call)) - before) / seconds;
    await call.close();
  }
  return { talkie: used['talkie'], minimal: used['minimal'], ratio: (used['talkie'] ?? NaN) / (used['minimal'] ?? NaN), seconds };
}
