// What holds for all files of the web app: languages that are complete, words that are nowhere else,
// imports that lead somewhere, and comments that can be left at home.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { WEB } from '../tools/graph.mjs';

const require = createRequire(import.meta.url);

/** @param {string} folder @returns {string[]} paths from the web app's root */
function modules(folder) {
  return readdirSync(new URL(folder, WEB), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js')).map((name) => `${folder}${name}`);
}

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, WEB), 'utf8');

const sections = readdirSync(new URL('app/strings/en/', WEB));

/** Names and terms of the field, the same in every language. */
const TERMS = new Set(['talkie', 'calm-otter-bridge', 'prflx', 'kbit/s', 'Mbit/s', 'Foundation', 'Service worker', 'Web Crypto', 'turn:turn.example.org:3478?transport=udp']);

/** @param {any} en @param {any} zh @param {string} path @param {string[]} faults */
function compare(en, zh, path, faults) {
  if (typeof en !== typeof zh || Array.isArray(en) !== Array.isArray(zh)) return void faults.push(`${path}: another shape`);
  if (typeof en === 'function' && en.length !== zh.length) return void faults.push(`${path}: takes ${zh.length} of ${en.length}`);
  if (typeof en === 'string' && en === zh && /[a-z]{3}/.test(en) && !TERMS.has(en)) return void faults.push(`${path}: not translated: ${en}`);
  if (typeof en !== 'object' || en === null) return;
  for (const key of new Set([...Object.keys(en), ...Object.keys(zh)])) {
    if (!(key in en)) faults.push(`${path}.${key}: only in zh`);
    else if (!(key in zh)) faults.push(`${path}.${key}: missing`);
    else compare(en[key], zh[key], `${path}.${key}`, faults);
  }
}

test('every section is there in both languages', () => {
  assert.deepEqual(readdirSync(new URL('app/strings/zh/', WEB)), sections);
});

for (const section of sections) {
  test(`${section}: 中文 says all that English says, and no more`, async () => {
    const [en, zh] = await Promise.all(['en', 'zh'].map(async (tag) => (await import(new URL(`app/strings/${tag}/${section}`, WEB).href)).default));
    /** @type {string[]} */
    const faults = [];
    compare(en, zh, section, faults);
    assert.deepEqual(faults, []);
  });
}

test('what people read stands in the strings', () => {
  const faults = [];
  for (const path of [...modules('app/views/'), ...modules('app/pages/'), ...modules('app/ui/')]) {
    read(path).split('\n').forEach((line, at) => {
      if (/^\s*(?:\*|\/)/.test(line)) return;
      const literal = /(?:\}|null|\)), '([A-Z][a-z]+(?: [a-z]+)*[.?!]?)'\)|(?:'aria-label'|title|placeholder): '([A-Z][^']*)'|textContent = '([A-Z][a-z][^']*)'/.exec(line);
      if (literal) faults.push(`${path}:${at + 1}: ${literal[0]}`);
    });
  }
  assert.deepEqual(faults, []);
});

test('every import leads to a file', () => {
  const faults = [];
  for (const path of modules('app/')) {
    const code = read(path).replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name = ''] of code.matchAll(/(?:\bfrom|^import|\bimport\()\s*'([^']+)'/gm)) {
      const target = new URL(name, new URL(path, WEB));
      if (name.startsWith('.') && !existsSync(target)) faults.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('icons, sheets and scripts that the page and the manifest name are there', () => {
  const named = [...read('index.html').matchAll(/(?:href|src)="\/([^"]+)"/g)].map(([, name = '']) => name);
  const manifest = JSON.parse(read('manifest.webmanifest'));
  named.push(...manifest.icons.map((/** @type {{src: string}} */ icon) => icon.src.slice(1)));
  assert.deepEqual(named.filter((name) => !existsSync(new URL(name, WEB))), []);
});

test('vendored modules are what the lock file pins', () => {
  const published = require.resolve('lean-qr').replace(/[^/]+$/, 'index.mjs');
  assert.equal(read('vendor/lean-qr/lean-qr.mjs'), readFileSync(published, 'utf8'));
});
