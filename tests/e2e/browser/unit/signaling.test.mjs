// The session over a socket that drops, as docs/signaling.md has it.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { Signaling } from '../../../../crates/talkie-server/web/app/session/signaling.js';
import { FakeSocket } from './fake-socket.mjs';

// Node has no WebSocket of its own before version 22; the page only asks it for this number.
globalThis.WebSocket ??= /** @type {any} */ ({ OPEN: 1 });

const WELCOME = { type: 'welcome', version: 1, session: 's1', token: 't1', resumed: false, ack: 0, heartbeat: 20, limits: {} };

/** @returns {any} a session with its sockets and what it told */
function open() {
  /** @type {FakeSocket[]} */
  const sockets = [];
  const seen = { sessions: 0, messages: /** @type {any[]} */ ([]), statuses: /** @type {string[]} */ ([]), ended: /** @type {string[]} */ ([]) };
  const signaling = new Signaling(
    'ws://test/signal',
    {
      session: () => (seen.sessions += 1),
      message: (message) => seen.messages.push(message),
      status: (status) => seen.statuses.push(status),
      ended: (code) => seen.ended.push(code),
    },
    () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return /** @type {any} */ (socket);
    },
  );
  signaling.start();
  const latest = () => /** @type {FakeSocket} */ (sockets.at(-1));
  latest().accept();
  return { signaling, sockets, seen, latest };
}

/** @param {any} s @param {object} welcome */
function reconnect(s, welcome) {
  s.latest().drop();
  mock.timers.tick(500);
  s.latest().accept();
  s.latest().say({ ...WELCOME, ...welcome });
}

describe('signaling', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  test('says hello first and nothing else before the welcome', () => {
    const s = open();
    s.signaling.send('join', { room: 'a' });
    assert.deepEqual(s.latest().sent, [{ type: 'hello', version: 1 }]);
  });

  test('numbers messages from 1 without gaps and carries the ack along', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().say({ type: 'joined', seq: 1 });
    s.signaling.send('signal', { to: 'x' });
    s.signaling.send('signal', { to: 'y' });
    assert.deepEqual(s.latest().of('signal').map((/** @type {any} */ m) => [m.seq, m.ack]), [[1, 1], [2, 1]]);
  });

  test('acknowledges within a second when there is nothing else to say', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().say({ type: 'peer-joined', seq: 1 });
    mock.timers.tick(999);
    assert.deepEqual(s.latest().of('ack'), [{ type: 'ack', ack: 1 }]);
  });

  test('a message that goes out spares the separate ack', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().say({ type: 'peer-joined', seq: 1 });
    s.signaling.send('signal', {});
    mock.timers.tick(2000);
    assert.deepEqual(s.latest().of('ack'), []);
  });

  test('a resumed session sends again exactly what the server lacks', () => {
    const s = open();
    s.latest().say(WELCOME);
    for (const to of ['a', 'b', 'c']) s.signaling.send('signal', { to });
    reconnect(s, { resumed: true, ack: 1 });
    assert.deepEqual(s.latest().sent[0], { type: 'hello', version: 1, resume: { session: 's1', token: 't1', ack: 0 } });
    assert.deepEqual(s.latest().of('signal').map((/** @type {any} */ m) => [m.seq, m.to]), [[2, 'b'], [3, 'c']]);
    assert.equal(s.seen.sessions, 1, 'whoever uses it does not notice');
  });

  test('what is said while there is no socket goes out after the resume', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().drop();
    s.signaling.send('signal', { to: 'late' });
    mock.timers.tick(500);
    s.latest().accept();
    s.latest().say({ ...WELCOME, resumed: true, ack: 0 });
    assert.deepEqual(s.latest().of('signal').map((/** @type {any} */ m) => m.to), ['late']);
  });

  test('a replayed message is delivered once, and acknowledged again', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().say({ type: 'signal', seq: 1, from: 'p' });
    reconnect(s, { resumed: true, ack: 0 });
    assert.equal(s.latest().sent[0].resume.ack, 1);
    s.latest().say({ type: 'signal', seq: 1, from: 'p' });
    s.latest().say({ type: 'signal', seq: 2, from: 'q' });
    assert.deepEqual(s.seen.messages.map((/** @type {any} */ m) => m.from), ['p', 'q']);
    mock.timers.tick(1000);
    assert.equal(s.latest().of('ack').at(-1).ack, 2);
  });

  test('a session that is gone begins anew, numbers and all', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.signaling.send('join', { room: 'a' });
    s.latest().say({ type: 'joined', seq: 1 });
    reconnect(s, { session: 's2', resumed: false });
    assert.equal(s.seen.sessions, 2);
    assert.deepEqual(s.latest().of('join'), [], 'the old session\'s messages mean nothing in the new one');
    s.signaling.send('join', { room: 'a' });
    assert.equal(s.latest().of('join')[0].seq, 1);
    s.latest().say({ type: 'joined', seq: 1 });
    assert.equal(s.seen.messages.length, 2);
  });

  test('a gap ends the session', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.latest().say({ type: 'signal', seq: 2 });
    assert.equal(s.sockets[0].closed, true);
    assert.equal(s.seen.messages.length, 0);
    mock.timers.tick(500);
    s.latest().accept();
    assert.equal(s.latest().sent[0].resume, undefined);
  });

  test('a socket that was given up cannot speak any more', () => {
    const s = open();
    s.latest().say(WELCOME);
    reconnect(s, { resumed: true, ack: 0 });
    s.sockets[0].say({ type: 'signal', seq: 1, from: 'ghost' });
    assert.equal(s.seen.messages.length, 0);
  });

  test('a server that does not answer a ping is left for another socket', () => {
    const s = open();
    s.latest().say(WELCOME);
    mock.timers.tick(20_000);
    assert.equal(s.latest().of('ping').length, 1);
    mock.timers.tick(8000);
    assert.ok(s.sockets[0].closed);
    mock.timers.tick(500);
    assert.ok(s.sockets.length > 1);
  });

  test('on another network the session goes on over another socket, at once', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.signaling.networkChanged();
    assert.ok(s.sockets[0].closed);
    // That attempt goes into the void, because the network changes once more.
    s.signaling.networkChanged();
    assert.equal(s.sockets.length, 3);
    s.latest().accept();
    assert.equal(s.latest().sent[0].resume.session, 's1');
    s.latest().say({ ...WELCOME, resumed: true });
    assert.equal(s.seen.sessions, 1);
    s.signaling.close();
    s.signaling.networkChanged();
    assert.equal(s.sockets.length, 3);
  });

  test('a socket that is doubted has to answer soon', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.signaling.wake();
    s.latest().say({ type: 'pong' });
    mock.timers.tick(3500);
    assert.ok(!s.sockets[0].closed);
    s.signaling.wake();
    mock.timers.tick(3000);
    assert.ok(s.sockets[0].closed);
  });

  test('pongs keep the socket', () => {
    const s = open();
    s.latest().say(WELCOME);
    for (let i = 0; i < 10; i += 1) {
      mock.timers.tick(14_000);
      s.latest().say({ type: 'pong' });
    }
    assert.equal(s.sockets.length, 1);
  });

  test('a final error ends it; another fatal one starts a new session', () => {
    const taken = open();
    taken.latest().say(WELCOME);
    taken.latest().say({ type: 'error', code: 'replaced', fatal: true, seq: 1 });
    mock.timers.tick(60_000);
    assert.deepEqual(taken.seen.ended, ['replaced']);
    assert.equal(taken.sockets.length, 1);

    const behind = open();
    behind.latest().say(WELCOME);
    behind.latest().say({ type: 'error', code: 'replay-overflow', fatal: true, seq: 1 });
    mock.timers.tick(500);
    behind.latest().accept();
    assert.equal(behind.latest().sent[0].resume, undefined);
    assert.deepEqual(behind.seen.ended, []);
  });

  test('a socket given up for its slowness does not cost the session', () => {
    const slow = open();
    slow.latest().say(WELCOME);
    slow.latest().say({ type: 'error', code: 'slow-reader', fatal: true });
    mock.timers.tick(500);
    slow.latest().accept();
    assert.equal(slow.latest().sent[0].resume.session, 's1');
    slow.latest().say({ ...WELCOME, resumed: true });
    assert.equal(slow.seen.sessions, 1);
  });

  test('closing says bye, with what was still unsaid before it', () => {
    const s = open();
    s.latest().say({ ...WELCOME, limits: { messagesPerSecond: 1, burst: 2 } });
    for (let i = 0; i < 5; i += 1) s.signaling.send('signal', { i });
    s.signaling.close();
    assert.deepEqual(s.sockets[0].sent.filter((/** @type {any} */ m) => m.seq).map((/** @type {any} */ m) => m.seq), [1, 2, 3, 4, 5, 6]);
    assert.equal(s.sockets[0].sent.at(-1).type, 'bye');
    assert.equal(s.signaling.send('signal'), null);
  });

  test('what waits for an acknowledgement goes out when it comes', () => {
    const s = open();
    s.latest().say({ ...WELCOME, limits: { messagesPerSecond: 1e9, burst: 4 } });
    for (let i = 0; i < 5; i += 1) s.signaling.send('signal', { i });
    mock.timers.tick(10_000);
    assert.equal(s.latest().of('signal').length, 3);
    s.latest().say({ type: 'ack', ack: 3 });
    mock.timers.tick(10);
    assert.ok(s.latest().of('signal').length > 3);
  });

  test('a session that is renewed says bye and begins anew', () => {
    const s = open();
    s.latest().say(WELCOME);
    s.signaling.send('signal', {});
    s.signaling.renew();
    s.signaling.renew();
    assert.deepEqual(s.sockets[0].of('bye').map((/** @type {any} */ m) => m.seq), [2]);
    mock.timers.tick(500);
    s.latest().accept();
    assert.equal(s.sockets.length, 2);
    assert.deepEqual(s.latest().sent, [{ type: 'hello', version: 1 }]);
  });

  test('garbage from the server is ignored', () => {
    const s = open();
    s.latest().say(WELCOME);
    for (const data of ['', 'null', '[]', '{"type":1}', '{', new ArrayBuffer(4)]) s.latest().onmessage({ data });
    assert.equal(s.seen.messages.length, 0);
    assert.equal(s.signaling.status, 'open');
  });
});
