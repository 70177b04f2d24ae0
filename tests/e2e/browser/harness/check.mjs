// What people do on /check.
import { id } from './person.mjs';
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */

/** @param {Person} person @param {string} origin */
export async function openCheck(person, origin) {
  await person.open(`${origin}/check`);
  await person.sees(id('check'));
}

/**
 * Waits for the verdict, where a URL is given for the one that is about it, too.
 * @param {Person} person @param {string} [url]
 */
export async function finished(person, url) {
  return until(`${person.name} has a verdict${url ? ` with ${url}` : ''}`, async () => {
    const code = await person.attribute(id('verdict'), 'data-code');
    const known = !url || Object.keys(await legs(person)).includes(url);
    return known && code !== 'checking' && code;
  });
}

/** What became of each server, by its URL. @param {Person} person @returns {Promise<Record<string, string>>} */
export function legs(person) {
  return person.evaluate(() => Object.fromEntries([...document.querySelectorAll('[data-testid="leg"]')].map((row) => [row.getAttribute('data-url'), row.getAttribute('data-outcome')])));
}

/** @param {Person} person @param {string} url @param {string} username @param {string} credential */
export async function ask(person, url, username, credential) {
  await person.fill(id('ice-url'), url);
  await person.fill(id('ice-username'), username);
  await person.fill(id('ice-credential'), credential);
  await person.click(id('ice-test'));
}

/** A test call. @param {Person} person @param {string} way URL of the relay, empty for direct */
export async function measure(person, way) {
  const before = await person.count(id('loopback-result'));
  await person.evaluate(([selector, value]) => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector(selector));
    select.value = value;
    if (select.value !== value) throw new Error(`no way ${value}`);
  }, /** @type {const} */ ([id('loopback-way'), way]));
  await person.click(id('loopback-start'));
  await until(`${person.name}'s test call by ${way || 'the direct way'} is over`, async () => {
    if ((await person.count(id('loopback-result'))) > before) return true;
    throw new Error(await person.text(id('loopback-state')));
  });
  return person.evaluate(() => {
    const row = /** @type {HTMLTableRowElement} */ ([...document.querySelectorAll('[data-testid="loopback-result"]')].at(-1));
    const cells = [...row.cells].map((cell) => cell.innerText);
    return { path: row.dataset.path, via: row.dataset.via, median: parseFloat(cells[2] ?? ''), audio: cells[4] ?? '', video: cells[5] ?? '', rate: parseFloat(cells[6] ?? ''), bytes: parseFloat(/\(([\d.]+)/.exec(cells[6] ?? '')?.[1] ?? '0') };
  });
}
