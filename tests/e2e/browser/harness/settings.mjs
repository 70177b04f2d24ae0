// What people do in the settings, and what devices they then have.
import { id } from './person.mjs';
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */
/** @typedef {'audio'|'video'|'effects'|'sending'|'general'} Tab */

/** From the lobby or the room. @param {Person} person @param {Tab} tab */
export async function openSettings(person, tab) {
  if (await person.count(id('more'))) await person.click(id('more'));
  await person.click(id('settings'));
  await person.click(id(`tab-${tab}`));
  // Its content is loaded when it is first shown.
  await person.sees(`${id(`panel-${tab}`)} > *`);
}

/** @param {Person} person */
export async function closeSettings(person) {
  await person.click(id('settings-close'));
  await until('the settings are closed', async () => (await person.count('dialog.settings')) === 0);
}

/** Chooses in a select, as a person does. @param {Person} person @param {string} selector @param {string} value */
export async function pick(person, selector, value) {
  await person.sees(selector);
  if (person.page.selectOption) await person.page.selectOption(selector, value);
  else await person.page.select(selector, value);
}

/** Moves a slider. @param {Person} person @param {string} selector @param {number} value */
export async function slide(person, selector, value) {
  await person.sees(selector);
  await person.evaluate(([s, to]) => {
    const input = /** @type {HTMLInputElement} */ (document.querySelector(String(s)));
    input.value = String(to);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, [selector, value]);
}

/**
 * The values that a picker offers, without the default.
 * @param {Person} person
 * @param {string} picker
 * @param {number} least so many have to be there: the list fills when the browser has told its devices
 */
export function offers(person, picker, least) {
  return until(`${person.name} is offered ${least} in ${picker}`, async () => {
    const values = await person.evaluate((s) => [...document.querySelectorAll(`${s} option`)].map((o) => /** @type {HTMLOptionElement} */ (o).value).filter(Boolean), picker);
    if (values.length >= least) return values;
    throw new Error(`offered are ${JSON.stringify(values)}`);
  });
}

/** Which device is in use. @param {Person} person @param {'mic'|'camera'} device */
export function inUse(person, device) {
  return person.evaluate((which) => /** @type {any} */ (window).talkie.captured[which]?.getSettings().deviceId ?? null, device);
}

/** @param {Person} person @param {'mic'|'camera'} device @param {string} deviceId */
export async function uses(person, device, deviceId) {
  await until(`${person.name} uses ${device} ${deviceId}`, async () => (await inUse(person, device)) === deviceId);
}

/** The energy of the sound that arrives, per second of sound, over some seconds of it. @param {Person} person @param {number} seconds */
export async function loudness(person, seconds) {
  const read = () => person.evaluate(async () => {
    const sum = { energy: 0, duration: 0 };
    for (const connection of /** @type {any} */ (window).talkieConnections) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
        // Silence of a slot that nothing is sent in has no energy, so whatever has some is the voice.
        if (!report.totalAudioEnergy) continue;
        sum.energy += report.totalAudioEnergy;
        sum.duration += report.totalSamplesDuration;
      }
    }
    return sum;
  });
  await until(`${person.name} is sent sound`, async () => (await read()).duration > 0);
  const before = await read();
  const after = await until('some seconds have passed', async () => {
    const now = await read();
    return now.duration - before.duration >= seconds ? now : null;
  });
  if (!after) throw new Error('unreachable');
  return (after.energy - before.energy) / (after.duration - before.duration);
}
