// The server leaves out comments that have lines of their own (crates/talkie-server/src/http/comments.rs).
// It doesn't parse; so no module may have anything else that looks like one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { WEB } from '../tools/graph.mjs';

const espree = createRequire(import.meta.resolve('eslint'))('espree');

/** As the server does it. @param {string} module */
function leftOut(module) {
  let inside = false;
  return module.split('\n').map((line) => {
    const text = line.trim();
    const starts = !inside && text.startsWith('/*');
    if (!inside && !starts && !text.startsWith('//')) return line;
    const end = text.indexOf('*/');
    if (end >= 0 && (starts || inside)) {
      inside = false;
      return text.slice(end + 2);
    }
    inside ||= starts;
    return '';
  }).join('\n');
}

/** @param {string} code */
function tokens(code) {
  const all = espree.tokenize(code, { ecmaVersion: 2024, sourceType: 'module', loc: true });
  return all.map((/** @type {any} */ { type, value, loc }) => `${loc.start.line} ${type} ${value}`);
}

test('every module is the same without its comments, line by line', () => {
  const paths = readdirSync(new URL('app/', WEB), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  for (const path of paths) {
    const code = readFileSync(new URL(`app/${path}`, WEB), 'utf8');
    assert.deepEqual(tokens(leftOut(code)), tokens(code), path);
  }
});
