// Names, lists, messages and archives of the file protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc } from 'node:zlib';
import { BlockAssembler, sha256 } from '../../../../crates/talkie-server/web/app/files/blocks.js';
import { Extents, pieces, Splitter } from '../../../../crates/talkie-server/web/app/files/manifest.js';
import { cleanPaths, cleanSegment } from '../../../../crates/talkie-server/web/app/files/paths.js';
import { printsOf } from '../../../../crates/talkie-server/web/app/files/proof.js';
import { BLOCK, blockLength, inertMime, parseFileMessage } from '../../../../crates/talkie-server/web/app/files/protocol.js';
import { Rate, secondsLeft } from '../../../../crates/talkie-server/web/app/files/rate.js';
import { archiveSink, archiveSize } from '../../../../crates/talkie-server/web/app/files/sinks/archive.js';
import { centralHeader, crc32, descriptor, ending, localHeader } from '../../../../crates/talkie-server/web/app/files/sinks/zip.js';
import { MemorySink } from './file-channels.mjs';

test('hostile paths become harmless ones', () => {
  const cases = {
    '../../etc/passwd': 'etc/passwd',
    '/etc/passwd': 'etc/passwd',
    'a/./b//c': 'a/b/c',
    '..\\..\\windows\\x.dll': 'windows/x.dll',
    'C:\\x.txt': 'C_/x.txt',
    '\\\\server\\share\\x': 'server/share/x',
    '.bashrc': 'bashrc',
    '.. /x': 'x',
    'a/con.txt': 'a/_con.txt',
    'LPT1': '_LPT1',
    'x.': 'x',
    'gpj.\u202eexe': 'gpj.exe',
    'a\u0000b\n': 'ab',
    '': 'file',
    '///': 'file',
    '..': 'file',
    'a<b>:"|?*': 'a_b______',
  };
  for (const [raw, clean] of Object.entries(cases)) assert.deepEqual(cleanPaths([raw]), [clean], raw);
  assert.equal(cleanPaths([`${'d/'.repeat(30)}x`]), null);
  const long = cleanSegment(`${'漢'.repeat(40_000)}.txt`);
  assert.ok(new TextEncoder().encode(long).length <= 200 && long.endsWith('.txt'), String(long.length));
});

test('no two files have one name', () => {
  assert.deepEqual(cleanPaths(['a.txt', 'A.TXT', 'a.txt', '../a.txt']), ['a.txt', 'A (2).TXT', 'a (3).txt', 'a (4).txt']);
  assert.deepEqual(cleanPaths(['x', 'x/y', 'x/z']), ['x', 'x (2)/y', 'x (2)/z']);
  assert.deepEqual(cleanPaths(['x/y', 'x']), ['x/y', 'x (2)']);
  const began = performance.now();
  const many = cleanPaths(Array.from({ length: 10_000 }, () => 'same.txt')) ?? [];
  assert.equal(new Set(many).size, 10_000);
  assert.ok(performance.now() - began < 5000);
});

test('messages of the protocol are judged before they are used', () => {
  const offer = { type: 'offer', id: '0'.repeat(32), token: '0'.repeat(64), name: '../x', size: 1, mime: 'a b', count: 1 };
  for (const bad of [
    '', 'null', '7', '[]', '{}', '{"type":"offer"}', '{"type":"constructor"}', '{"type":"ack","bytes":"1"}', '{"type":"files","from":0,"files":[["x"]]}', '{"type":"files","from":0,"files":[["x",-1]]}',
    ...[{ size: -1 }, { size: 1e300 }, { name: 1 }, { count: 0 }, { id: 'x' }, { token: null }].map((patch) => JSON.stringify({ ...offer, ...patch })),
    `{"type":"end","x":"${'x'.repeat(70_000)}"}`,
  ]) {
    assert.equal(parseFileMessage(bad), null, bad.slice(0, 80));
  }
  assert.deepEqual(parseFileMessage('{"type":"cancel","reason":"<b>"}'), { type: 'cancel', reason: 'protocol' });
  assert.deepEqual(parseFileMessage(JSON.stringify(offer)), { ...offer, name: 'x', mime: '', folder: false });
});

test('lists travel in pieces that every browser takes', () => {
  const files = Array.from({ length: 5000 }, (_, i) => ({ path: `folder/\u0001${'x'.repeat(i % 200)}${i}`, size: i }));
  const all = [...pieces(files)];
  assert.ok(all.length > 10);
  for (const piece of all) assert.ok(JSON.stringify(piece).length < 65_536);
  assert.deepEqual(all.flatMap((piece) => piece.files.map(([path, size]) => ({ path, size }))), files);
});

test('every byte belongs to one file', () => {
  const files = [0, 3, 0, 0, 5, 1, 0].map((size, i) => ({ path: String(i), size }));
  const extents = new Extents(files);
  assert.deepEqual([0, 2, 3, 7, 8, 9].map((at) => extents.at(at)), [1, 1, 4, 4, 5, 7]);
  const splitter = new Splitter(files);
  /** @type {string[]} */
  const seen = [];
  for (const length of [2, 4, 3, 0]) for (const { file, first, last, part } of splitter.feed(new Uint8Array(length))) seen.push(`${first ? '(' : ''}${file.path}:${part.length}${last ? ')' : ''}`);
  assert.deepEqual(seen, ['(0:0)', '(1:2', '1:1)', '(2:0)', '(3:0)', '(4:3', '4:2)', '(5:1)', '(6:0)']);
});

test('an archive is what a ZIP reader expects, and as long as foretold', async () => {
  const contents = ['', 'hello', 'x'.repeat(3_000_000)].map((text) => new TextEncoder().encode(text));
  const files = ['top/empty', 'top/grüße.txt', 'top/sub/long.bin'].map((path, i) => ({ path, size: contents[i]?.length ?? 0 }));
  const memory = new MemorySink();
  const archive = archiveSink(memory, files);
  const all = new Uint8Array(Buffer.concat(contents));
  for (let at = 0; at < all.length; at += BLOCK) await archive.write(all.slice(at, at + BLOCK));
  await archive.finish();
  const zip = Buffer.from(memory.bytes);
  assert.equal(zip.length, archiveSize(files));
  const end = zip.length - 22;
  assert.equal(zip.readUInt32LE(end), 0x06054b50);
  assert.equal(zip.readUInt16LE(end + 10), 3);
  let at = zip.readUInt32LE(end + 16);
  for (const [i, { path, size }] of files.entries()) {
    assert.equal(zip.readUInt32LE(at), 0x02014b50);
    const [crc, packed, length, extra] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const offset = zip.readUInt32LE(at + 42);
    assert.equal(zip.subarray(at + 46, at + 46 + length).toString(), path);
    const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
    assert.equal(packed, size);
    assert.equal(crc, zlibCrc(zip.subarray(start, start + size)));
    assert.deepEqual(new Uint8Array(zip.subarray(start, start + size)), contents[i]);
    at += 46 + length + extra;
  }
});

test('what is too long for ZIP’s fields goes into those of ZIP64', () => {
  const name = new TextEncoder().encode('x');
  const size = 5 * 2 ** 30;
  const date = new Date(2026, 1, 3);
  assert.equal(localHeader({ name, size }, date)[2]?.length, 20);
  const large = descriptor(size, 7);
  assert.deepEqual([large.length, new DataView(large.buffer).getBigUint64(8, true)], [24, BigInt(size)]);
  assert.equal(centralHeader({ name, size, offset: 2 ** 33, crc: 0 }, date)[2]?.length, 28);
  assert.equal(centralHeader({ name, size: 5, offset: 2 ** 33, crc: 0 }, date)[2]?.length, 12);
  assert.equal(ending(3, 100, 2 ** 33).length, 3);
  assert.equal(ending(3, 100, 200).length, 1);
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
});

test('blocks, digests, fingerprints, types and figures', async () => {
  assert.equal(blockLength(BLOCK + 5, 1), 5);
  assert.equal(blockLength(BLOCK + 5, 2), 0);
  const assembler = new BlockAssembler(3);
  assert.ok(assembler.add(new Uint8Array([1, 2]).buffer));
  assert.equal(assembler.take(0), null);
  assert.ok(assembler.add(new Uint8Array([3]).buffer));
  assert.deepEqual([...(assembler.take(0) ?? [])], [1, 2, 3]);
  assert.equal(assembler.complete, 3);
  assert.equal(await sha256(new TextEncoder().encode('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const sdp = (/** @type {string} */ print) => ({ type: /** @type {const} */ ('offer'), sdp: `v=0\r\na=fingerprint:sha-256 ${print}\r\nm=x\r\na=fingerprint:sha-256 ${print}\r\n`, toJSON() {} });
  const pc = { localDescription: sdp('AB'), remoteDescription: sdp('CD') };
  assert.deepEqual(printsOf(pc, 'sender'), { sender: 'sha-256 ab', receiver: 'sha-256 cd' });
  assert.deepEqual(printsOf(pc, 'receiver'), { sender: 'sha-256 cd', receiver: 'sha-256 ab' });
  for (const type of ['image/png', 'video/mp4', 'text/plain', 'application/pdf']) assert.equal(inertMime(type), type);
  for (const type of ['image/svg+xml', 'text/html', 'application/xhtml+xml', '', 'text/xml']) assert.equal(inertMime(type), 'application/octet-stream');
  const rate = new Rate();
  assert.equal(rate.perSecond, 0);
  rate.add(0, 0);
  rate.add(1000, 500);
  assert.equal(rate.perSecond, 500);
  assert.equal(secondsLeft(1000, 500, 500), 1);
  assert.equal(secondsLeft(1000, 500, 0), Infinity);
});
