// What is said in the chat: judged, bounded, in order, once; and which keys do what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControl } from '../../../../crates/talkie-server/web/app/peer/control.js';
import { Bucket } from '../../../../crates/talkie-server/web/app/peer/messages/bucket.js';
import { HISTORY_BYTES, HISTORY_MESSAGES, HistoryBound, historyParts } from '../../../../crates/talkie-server/web/app/peer/messages/history.js';
import { CHAT_KEPT, withSaid, withTold } from '../../../../crates/talkie-server/web/app/session/chat-log.js';
import { shortcutOf } from '../../../../crates/talkie-server/web/app/ui/shortcuts.js';
import { splitLinks, trueHost } from '../../../../crates/talkie-server/web/app/views/room/links.js';

const id = (/** @type {number} */ n) => `message-${String(n).padStart(6, '0')}`;

test('ids, typing and reactions are judged', () => {
  assert.deepEqual(parseControl('{"type":"chat","text":"x","id":"<img>"}'), { type: 'chat', id: '', text: 'x' });
  assert.deepEqual(parseControl('{"type":"chat","text":"a\\u202eb\\u2066c","id":"abcdefgh"}'), { type: 'chat', id: 'abcdefgh', text: 'a b c' });
  assert.deepEqual(parseControl('{"type":"typing","on":"very"}'), { type: 'typing', on: false });
  assert.deepEqual(parseControl('{"type":"reaction","emoji":"🎉"}'), { type: 'reaction', emoji: '🎉' });
  for (const bad of ['💣', '<b>', '', null, ['🎉']]) assert.equal(parseControl(JSON.stringify({ type: 'reaction', emoji: bad })), null);
  const bucket = new Bucket({ burst: 5, everyMs: 700 });
  assert.equal(Array.from({ length: 1000 }, () => bucket.admit(1000)).filter(Boolean).length, 5);
});

test('history is told in parts that fit, the newest within the bounds', () => {
  const messages = Array.from({ length: 500 }, (_, n) => ({ id: id(n), name: 'Ada', text: `message ${n}`, age: 500 - n }));
  const few = historyParts(messages);
  const told = few.flatMap((part) => part.messages);
  assert.equal(told.length, HISTORY_MESSAGES);
  assert.ok(told.some((one) => one.id === id(499)) && !told.some((one) => one.id === id(299)));
  assert.ok(few.every((part) => parseControl(JSON.stringify(part)) !== null));
  const long = historyParts(messages.map((one) => ({ ...one, text: '好'.repeat(3000) })));
  const bytes = long.map((part) => new TextEncoder().encode(JSON.stringify(part)).length);
  assert.ok(bytes.every((n) => n < 32_768), String(bytes));
  assert.ok(bytes.reduce((a, b) => a + b, 0) < HISTORY_BYTES + 1024);
  assert.ok(bytes.length > 1);
  assert.deepEqual(long.map((part) => part.last), long.map((_, at) => at === long.length - 1));
  assert.deepEqual(historyParts([]), [{ type: 'history', messages: [], last: true }]);
});

test('a hostile history is cut to the bounds and cleaned', () => {
  const parsed = /** @type {any} */ (parseControl(JSON.stringify({
    type: 'history', last: 1,
    messages: [null, 7, { id: 'x' }, { id: id(1), text: '  ' }, { id: id(2), text: 'a', age: 'old' }, { id: id(3), name: '\u202eevil', text: '<script>\u0000', age: -5 }, { id: id(4), name: 9, text: 'b', age: 1e300 }],
  })));
  assert.deepEqual(parsed, { type: 'history', last: false, messages: [{ id: id(3), name: 'evil', text: '<script>', age: 0 }, { id: id(4), name: '', text: 'b', age: 604_800_000 }] });
  assert.equal(parseControl('{"type":"history","messages":{"length":9}}'), null);
  const bound = new HistoryBound();
  let admitted = 0;
  for (let part = 0; part < 100; part += 1) admitted += bound.admit(Array.from({ length: 50 }, (_, n) => ({ id: id(part * 50 + n), name: '', text: 'x', age: 0 }))).length;
  assert.equal(admitted, HISTORY_MESSAGES);
  const heavy = new HistoryBound();
  const big = Array.from({ length: 60 }, (_, n) => ({ id: id(n), name: '', text: 'y'.repeat(4000), age: 0 }));
  assert.ok(heavy.admit(big).length <= HISTORY_BYTES / 4000);
});

/** @param {Partial<import('../../../../crates/talkie-server/web/app/types.js').ChatMessage>} some */
const message = (some) => ({ key: 0, id: id(0), from: 'p1', name: 'Ada', text: 'x', at: 0, told: null, ...some });

test('no message twice, the writer is believed over hearsay, and the list is bounded', () => {
  const live = withSaid([], message({ key: 1, at: 100 }));
  assert.equal(withSaid(live, message({ key: 2, at: 200 })), live);
  assert.equal(withSaid(live, message({ key: 2, from: 'p2' })).length, 2, 'another writer may have the same id');
  assert.equal(withTold(live, [message({ key: 3, from: '', told: 'Grace' })]), live);
  const told = withTold(live, [message({ key: 4, id: id(4), from: '', told: 'Grace', at: 50 }), message({ key: 5, id: id(4), from: '', told: 'Grace', at: 60 })]);
  assert.deepEqual(told.map((one) => one.key), [4, 1]);
  const said = withSaid(told, message({ key: 6, id: id(4), from: 'p3', text: 'as it was', at: 900 }));
  assert.deepEqual([said.length, said[0]?.text, said[0]?.told], [2, 'as it was', null]);
  let log = live;
  for (let n = 1; n < 1000; n += 1) log = withSaid(log, message({ key: n, id: id(n), at: n }));
  assert.equal(log.length, CHAT_KEPT);
  assert.equal(withTold(log, [message({ id: id(5000), told: 'Grace', at: 1 })]).length, CHAT_KEPT);
});

test('links are what plainly is one, in full, and lead where they say', () => {
  const one = (/** @type {string} */ text) => splitLinks(text).filter((piece) => piece.href).map((piece) => piece.text);
  assert.deepEqual(splitLinks('see https://example.org/a?b=c#d, ok'), [{ text: 'see ' }, { text: 'https://example.org/a?b=c#d', href: 'https://example.org/a?b=c#d' }, { text: ', ok' }]);
  assert.deepEqual(one('(https://example.org/x_(y)) and http://b.example.'), ['https://example.org/x_(y))', 'http://b.example']);
  assert.deepEqual(one('(see https://example.org)'), ['https://example.org']);
  for (const none of ['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example', 'https://', 'https://bank.example@evil.example/', 'xhttps://a.example', 'https://a b', '<a href="x">']) {
    assert.ok(one(none).every((text) => text.startsWith('https://a')), none);
  }
  assert.deepEqual(one('https://bank.example@evil.example/'), []);
  const [fake] = splitLinks('https://аpple.example/');
  assert.match(trueHost(fake ?? { text: '' }) ?? '', /^xn--/);
  assert.equal(trueHost({ text: 'https://Example.org', href: 'https://example.org/' }), null);
  assert.ok(splitLinks('https://a.example '.repeat(1000)).length <= 202);
});

/** @param {string} key @param {Partial<KeyboardEvent>} [more] */
const press = (key, more = {}) => /** @type {KeyboardEvent} */ ({ key, code: '', ctrlKey: false, altKey: false, metaKey: false, isComposing: false, ...more });
/** @param {string} tag */
const focused = (tag) => ({ closest: (/** @type {string} */ selector) => (selector.split(', ').some((one) => one === tag) ? {} : null) });

test('keys act anywhere but where somebody writes, and not with modifiers', () => {
  assert.deepEqual(shortcutOf(press('m'), null), { name: 'mic' });
  assert.deepEqual(shortcutOf(press('M'), focused('div')), { name: 'mic' });
  assert.deepEqual(shortcutOf(press('ь', { code: 'KeyM' }), null), { name: 'mic' }, 'a Cyrillic keyboard');
  assert.equal(shortcutOf(press('w', { code: 'KeyV' }), null), null, 'a Latin keyboard means its letter');
  assert.deepEqual(shortcutOf(press('3'), null), { name: 'pin', nth: 3 });
  assert.deepEqual(shortcutOf(press('?'), null), { name: 'help' });
  for (const field of ['input', 'textarea', 'select', '[contenteditable]:not([contenteditable="false"])', '[role="slider"]', 'dialog', '[role="menu"]']) {
    for (const key of ['m', ' ', '?', '1', 'Escape']) assert.equal(shortcutOf(press(key), focused(field)), null, field);
  }
  for (const modifier of ['ctrlKey', 'altKey', 'metaKey', 'isComposing']) assert.equal(shortcutOf(press('m', { [modifier]: true }), null), null);
  assert.deepEqual(shortcutOf(press(' '), null), { name: 'talk' });
  assert.equal(shortcutOf(press(' '), focused('button')), null);
  assert.deepEqual(shortcutOf(press('m'), focused('button')), { name: 'mic' });
});
