// Asks axe-core whether everybody can use what the page shows. It is evaluated from outside, so the
// page's policies do not have to allow it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 A and AA, and what axe calls good practice. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Fails on any violation.
 * @param {import('./person.mjs').Person} person
 * @param {string} where what they look at, in words
 * @param {string[]} [only] these of axe's rules, all if not said
 */
export async function accessible(person, where, only) {
  await settled(person);
  if (!(await person.evaluate(() => 'axe' in window))) await person.page.evaluate(source);
  const violations = await person.evaluate(async (runOnly) => {
    const { axe } = /** @type {any} */ (window);
    const found = await axe.run(document, { runOnly, resultTypes: ['violations'] });
    return found.violations.map((/** @type {any} */ { id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.slice(0, 5).map((/** @type {any} */ node) => `${node.target.join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`),
    }));
  }, only ? { type: 'rule', values: only } : { type: 'tag', values: TAGS });
  if (violations.length === 0) return;
  const words = violations.map((/** @type {any} */ { id, help, nodes }) => `${id}: ${help}\n    ${nodes.join('\n    ')}`);
  throw new Error(`${where} has ${violations.length} violations:\n  ${words.join('\n  ')}`);
}

/** Colours are judged as they are; so not while something fades in. @param {import('./person.mjs').Person} person */
async function settled(person) {
  await person.evaluate(async () => {
    const passing = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(passing.map((one) => one.finished));
  });
}
