import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  WORDS, cleanFileName, cleanName, distinctName, initials, parseInvite, randomKey, randomRoomName, toKey, toRoomName,
} from '../../../../crates/talkie-server/web/app/names.js';
import { readOptions, readRoom } from '../../../../crates/talkie-server/web/app/options.js';

const KEY = 'abcdefghijklmnopqrstuv';

test('the word lists are of a power of two, without doubles, and of allowed letters', () => {
  for (const list of WORDS) {
    assert.equal(list.length, 64);
    assert.equal(new Set(list).size, 64);
    for (const word of list) assert.match(word, /^[a-z]{2,9}$/);
  }
});

test('random room names are valid, keys carry 128 bits and differ', () => {
  const keys = new Set();
  for (let i = 0; i < 200; i += 1) {
    const name = randomRoomName();
    assert.equal(toRoomName(name), name);
    const key = randomKey();
    assert.equal(toKey(key), key);
    assert.equal(Buffer.from(key, 'base64url').length, 16);
    keys.add(key);
  }
  assert.equal(keys.size, 200);
});

test('what people type becomes a room name, or nothing', () => {
  assert.equal(toRoomName('  Our Weekly_Talk '), 'our-weekly-talk');
  assert.equal(toRoomName('-a--b-'), 'a-b');
  assert.equal(toRoomName('x'.repeat(64)), 'x'.repeat(64));
  for (const bad of ['', '-', '../etc', 'a/b', 'x'.repeat(65), 'ümlaut', 'a.b', 'x'.repeat(10_000)]) assert.equal(toRoomName(bad), null, bad.slice(0, 20));
});

test('an invitation may be a link, a path, a name with a key, or a bare name', () => {
  for (const text of [`https://host:8443/r/calm-otter#${KEY}`, `http://[::1]:8080/r/calm-otter?relay#${KEY}`, `/r/calm-otter#${KEY}`, `calm-otter#${KEY}`, `  Calm Otter#${KEY}`]) {
    assert.deepEqual(parseInvite(text), { room: 'calm-otter', key: KEY }, text);
  }
  assert.deepEqual(parseInvite('calm-otter'), { room: 'calm-otter', key: null });
  assert.deepEqual(parseInvite('calm-otter#short'), { room: 'calm-otter', key: null });
  for (const bad of ['https://host/elsewhere', 'https://host/', '/r/', '/r/%E0%A4%A', '#', 'javascript:alert(1)']) assert.equal(parseInvite(bad), null, bad);
});

test('names lose control and direction characters and are bounded', () => {
  assert.equal(cleanName(' Ada\u202E evol\u0000\n '), 'Ada evol');
  assert.equal([...cleanName('💛'.repeat(100_000))].length, 64);
  assert.equal(cleanName(undefined), '');
  assert.equal(cleanName({ toString: () => 'x' }), '');
});

test('file names keep no path and cannot hide their ending', () => {
  assert.equal(cleanFileName('../../etc/passwd'), 'passwd');
  assert.equal(cleanFileName('C:\\temp\\report.pdf'), 'report.pdf');
  assert.equal(cleanFileName('invoice\u202Efdp.exe'), 'invoicefdp.exe');
  assert.equal(cleanFileName('.bashrc'), 'bashrc');
  assert.equal(cleanFileName('a<b>:"|?*.txt'), 'a_b______.txt');
  assert.equal(cleanFileName('///'), 'file');
  assert.ok(cleanFileName(`${'x'.repeat(5000)}.txt`).length <= 200);
});

test('initials', () => {
  assert.equal(initials('Ada Lovelace'), 'AL');
  assert.equal(initials('grace'), 'G');
  assert.equal(initials(''), '?');
  assert.equal(initials('💛 z'), '💛Z');
});

test('the address is read: room, key and flags', () => {
  assert.deepEqual(readRoom({ pathname: '/r/Calm-Otter', hash: `#${KEY}` }), { room: 'calm-otter', key: KEY });
  assert.equal(readRoom({ pathname: '/', hash: '' }), null);
  assert.equal(readRoom({ pathname: '/r/..%2f..', hash: '' }), null);
  assert.deepEqual(readOptions('?join&name=Kiosk%20%E2%80%AE1&relay&nomedia&transport=tls'), {
    join: true, relay: true, nomedia: true, transport: 'tls', name: 'Kiosk 1',
  });
  assert.deepEqual(readOptions('?transport=carrier-pigeon'), { join: false, relay: false, nomedia: false, transport: null, name: null });
});

test('people of one name are numbered', () => {
  assert.equal(distinctName('Grace', ['Ada']), 'Grace');
  assert.equal(distinctName('Grace', ['Ada', 'Grace']), 'Grace (2)');
  assert.equal(distinctName('Grace', ['Grace', 'Grace (2)']), 'Grace (3)');
});
