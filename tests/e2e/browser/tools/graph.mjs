// What a module of the web app imports, and what that imports: statically, so what a first load needs.
import { readFileSync } from 'node:fs';

/** The web app's folder. */
export const WEB = new URL('../../../../crates/talkie-server/web/', import.meta.url);

const IMPORT = /^(?:import\s*|(?:import|export)\b[^;'"()=]*?\bfrom\s*)'([^']+)'/gm;

/**
 * @param {string} start a path from the web app's root, such as `/app/main.js`
 * @returns {string[]} paths, those needed first in front
 */
export function staticGraph(start) {
  const found = new Set([start]);
  for (const path of found) {
    const text = readFileSync(new URL(`.${path}`, WEB), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name = ''] of text.matchAll(IMPORT)) found.add(new URL(name, `http://web${path}`).pathname);
  }
  return [...found];
}
