// A folder of 2,000 files to two people at once: into a folder here, as a ZIP file there.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { archiveSize } from '../../../../crates/talkie-server/web/app/files/sinks/archive.js';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, IN, rows, withoutPickers } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, openPanel } from '../harness/room.mjs';

const company = Company.gather();
const COUNT = 2000;

/** @param {string} root @returns {Promise<Map<string, Buffer>>} */
async function makeFolder(root) {
  const files = new Map();
  for (let i = 0; i < COUNT; i += 1) {
    const path = `holiday/${i % 40}/${i % 7}/Bild ${i} – grün.txt`;
    const content = Buffer.from(`${i} `.repeat(i % 900));
    files.set(path, content);
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return files;
}

/** @param {Map<string, Uint8Array>} files */
function digestOf(files) {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(`${path}\n`).update(files.get(path) ?? '');
  return hash.digest('hex');
}

/** The folder that stands for the one that a person would pick. @param {import('../harness/person.mjs').Person} person */
function picksPrivateFolder(person) {
  return person.page.addInitScript(() => {
    /** @type {any} */ (window).showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });
  });
}

/** @param {import('../harness/person.mjs').Person} person @returns {Promise<Map<string, Buffer>>} */
async function readFolder(person) {
  const found = await person.evaluate(async () => {
    /** @type {[string, string][]} */
    const files = [];
    const walk = async (/** @type {any} */ folder, /** @type {string} */ path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
        else files.push([path + name, await (await handle.getFile()).text()]);
      }
    };
    await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle('picked'), '');
    return files;
  });
  return new Map(found.map(([path, text]) => [path, Buffer.from(text)]));
}

/** @param {Buffer} zip @returns {Map<string, Buffer>} */
function readArchive(zip) {
  const files = new Map();
  const end = zip.length - 22;
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < zip.readUInt16LE(end + 10); i += 1) {
    const [crc, size, name, offset] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 24), zip.readUInt16LE(at + 28), zip.readUInt32LE(at + 42)];
    const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
    const content = zip.subarray(start, start + size);
    assert.equal(crc32(content), crc);
    files.set(zip.subarray(at + 46, at + 46 + name).toString(), content);
    at += 46 + name + zip.readUInt16LE(at + 30);
  }
  return files;
}

test('a folder of 2,000 files arrives complete', async () => {
  const root = await mkdtemp(join(tmpdir(), 'talkie-e2e-folder-'));
  const files = await makeFolder(root);
  const ada = await company.chromium('Ada');
  const grace = await company.chromium('Grace');
  const mitchell = await company.firefox('Mitchell');
  await picksPrivateFolder(grace);
  await withoutPickers(mitchell);
  const room = newRoom();
  for (const person of [ada, grace, mitchell]) await enter(person, company.server.network, room, 'nomedia');
  for (const person of [ada, grace, mitchell]) await meets(person, 2);
  await openPanel(ada, 'files');
  await ada.choose(id('file-folder-input'), join(root, 'holiday'));

  for (const person of [grace, mitchell]) {
    const { name, count, folder } = await becomes(person, 'in', 'offered');
    assert.deepEqual([name, count, folder], ['holiday', COUNT, true]);
    await person.reads(`.file:has(${IN}) .file-size`, /2,000 files/);
  }
  await grace.reads(id('file-place'), 'You choose the folder');
  await mitchell.reads(id('file-place'), 'As one ZIP file');
  for (const person of [grace, mitchell]) await person.click(`${IN} ${id('file-accept')}`);
  for (const person of [grace, mitchell]) assert.equal((await becomes(person, 'in', 'done', { patience: 240_000 })).verified, true);
  assert.equal((await rows(ada, 'out')).length, 2, 'one offer to each, not one for each file');

  const sent = digestOf(files);
  assert.equal(digestOf(await readFolder(grace)), sent);
  const bytes = archiveSize([...files].map(([path, { length }]) => ({ path, size: length })));
  const saved = await mitchell.save(`${IN} ${id('file-save')}`, 'holiday.zip', bytes);
  assert.equal(digestOf(readArchive(await readFile(saved))), sent);
  await rm(root, { recursive: true });
  await goHome(ada, grace, mitchell);
});
