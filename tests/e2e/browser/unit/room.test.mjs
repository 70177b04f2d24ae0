// What peers say to each other, when ICE is restarted, and how tiles are laid out.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { parseControl } from '../../../../crates/talkie-server/web/app/peer/control.js';
import { ChatGate, CHAT_LENGTH } from '../../../../crates/talkie-server/web/app/peer/messages/chat.js';
import { RestartPolicy } from '../../../../crates/talkie-server/web/app/peer/restart.js';
import { createStore } from '../../../../crates/talkie-server/web/app/state.js';
import { errorText, sizeText, strings, timeText } from '../../../../crates/talkie-server/web/app/strings.js';
import { bestGrid } from '../../../../crates/talkie-server/web/app/views/room/layout.js';

test('control messages are judged before they are used', () => {
  assert.deepEqual(parseControl('{"type":"state","mic":1,"camera":true}'), { type: 'state', mic: false, camera: true, screen: false, held: false, hand: null, recording: false });
  assert.deepEqual(parseControl('{"type":"chat","text":" hi\\r\\nyou\\u202e\\u0007 "}'), { type: 'chat', id: '', text: 'hi\nyou' });
  assert.equal(/** @type {any} */ (parseControl(JSON.stringify({ type: 'chat', text: 'x'.repeat(30_000) }))).text.length, CHAT_LENGTH);
  assert.deepEqual(parseControl('{"type":"path","kind":"relay","via":"smoke"}'), { type: 'path', kind: 'relay', via: null, why: [] });
  for (const bad of [null, new ArrayBuffer(1), '', '[]', '1', '{"type":"chat"}', '{"type":"chat","text":"  "}', '{"type":"path","kind":"magic"}', '{"type":"moved","id":7}', '{"type":"__proto__"}', `{"type":"chat","text":"${'x'.repeat(100_000)}"}`]) {
    assert.equal(parseControl(bad), null);
  }
});

test('a peer cannot flood the chat', () => {
  const gate = new ChatGate();
  const admitted = Array.from({ length: 1000 }, () => gate.admit(10_000)).filter(Boolean).length;
  assert.equal(admitted, 20);
  assert.equal(gate.admit(10_400), false);
  assert.equal(gate.admit(10_500), true);
});

describe('restarting ICE', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  /** @param {boolean} eager @param {() => boolean} able */
  const policy = (eager, able = () => true) => {
    const calls = { restarts: 0, gaveUp: 0 };
    const made = new RestartPolicy({
      eager,
      restart: () => {
        const could = able();
        if (could) calls.restarts += 1;
        return could;
      },
      gaveUp: () => (calls.gaveUp += 1),
    });
    made.begin();
    return { made, calls };
  };

  /** In small steps, so that a timer set by a timer runs in its own time. @param {number} ms */
  const pass = (ms) => {
    for (let at = 0; at < ms; at += 100) mock.timers.tick(100);
  };

  test('a healthy connection is left alone', () => {
    const { made, calls } = policy(true);
    made.observe('connected', 'connected');
    mock.timers.tick(600_000);
    made.poke();
    mock.timers.tick(60_000);
    assert.equal(calls.restarts, 0);
  });

  test('a short gap heals by itself, a longer one is restarted, by the eager side first', () => {
    const short = policy(true);
    short.made.observe('connected', 'connected');
    short.made.observe('disconnected', 'disconnected');
    mock.timers.tick(1000);
    short.made.observe('connected', 'connected');
    mock.timers.tick(60_000);
    assert.equal(short.calls.restarts, 0);

    const eager = policy(true);
    const patient = policy(false);
    for (const { made } of [eager, patient]) {
      made.observe('connected', 'connected');
      made.observe('disconnected', 'disconnected');
    }
    mock.timers.tick(2000);
    assert.deepEqual([eager.calls.restarts, patient.calls.restarts], [1, 0]);
    mock.timers.tick(2500);
    assert.equal(patient.calls.restarts, 1);
  });

  test('failing again and again it tries more and more seldom, says so, and never stops', () => {
    const { made, calls } = policy(true);
    made.observe('failed', 'failed');
    pass(60_000);
    const early = calls.restarts;
    pass(600_000);
    const late = calls.restarts - early;
    assert.ok(early >= 4 && early <= 8, `${early}`);
    assert.ok(late >= 20 && late <= 40, `${late}`);
    assert.ok(calls.gaveUp > 0);
    made.stop();
    pass(600_000);
    assert.equal(calls.restarts - early, late);
  });

  test('a restart that was answered has time for its checks, a first connection more', () => {
    const again = policy(true);
    again.made.observe('connected', 'connected');
    again.made.observe('disconnected', 'disconnected');
    pass(1600);
    assert.equal(again.calls.restarts, 1);
    pass(2800);
    // The answer came late; the next attempt was due 100 ms from now.
    again.made.settled();
    pass(5500);
    assert.equal(again.calls.restarts, 1);
    pass(1000);
    assert.equal(again.calls.restarts, 2);

    const first = policy(true);
    pass(14_000);
    first.made.settled();
    pass(14_000);
    assert.equal(first.calls.restarts, 0);
    first.made.observe('connected', 'connected');
    first.made.settled();
    pass(60_000);
    assert.equal(first.calls.restarts, 0);
  });

  test('while it cannot (no signaling) it waits, and a poke makes it quick', () => {
    let open = false;
    const { made, calls } = policy(true, () => open);
    made.observe('connected', 'connected');
    made.observe('failed', 'failed');
    mock.timers.tick(1000);
    assert.equal(calls.restarts, 0);
    open = true;
    made.poke();
    mock.timers.tick(600);
    assert.equal(calls.restarts, 1);
  });

  test('the other side may ask for it, but not in a flood', () => {
    const { made, calls } = policy(true);
    made.observe('connected', 'connected');
    for (let i = 0; i < 1000; i += 1) made.asked();
    assert.equal(calls.restarts, 1);
  });

  test('a change of network waits for the server to be there again', () => {
    let reachable = false;
    const { made, calls } = policy(true, () => reachable);
    made.observe('connected', 'connected');
    made.networkChanged();
    pass(5000);
    reachable = true;
    pass(5000);
    assert.equal(calls.restarts, 1);
  });

  test('a change of network restarts even what seems healthy', () => {
    const { made, calls } = policy(true);
    made.observe('connected', 'connected');
    made.networkChanged();
    mock.timers.tick(1000);
    assert.equal(calls.restarts, 1);
    mock.timers.tick(600_000);
    assert.equal(calls.restarts, 1);
  });
});

test('tiles fit the stage and are as large as they can be', () => {
  for (const [width, height] of [[1248, 656], [360, 700], [2500, 900], [300, 200]]) {
    for (let n = 1; n <= 8; n += 1) {
      const gap = 12;
      const grid = bestGrid(n, { width: width ?? 0, height: height ?? 0, gap });
      const rows = Math.ceil(n / grid.columns);
      assert.ok(grid.columns * grid.width + gap * (grid.columns - 1) <= (width ?? 0));
      assert.ok(rows * grid.height + gap * (rows - 1) <= (height ?? 0));
      assert.ok(grid.width > 0 && grid.height > 0);
    }
  }
  assert.equal(bestGrid(2, { width: 1248, height: 656, gap: 12 }).columns, 2);
  assert.equal(bestGrid(2, { width: 360, height: 700, gap: 8 }).columns, 1);
  assert.equal(bestGrid(4, { width: 1248, height: 656, gap: 12 }).columns, 2);
  assert.deepEqual(bestGrid(1, { width: 0, height: 0, gap: 12 }), { columns: 1, width: 0, height: 0 });
  const strip = bestGrid(3, { width: 240, height: 656, gap: 12, beside: true });
  assert.deepEqual(strip, { columns: 1, width: 240, height: 135 });
});

test('the store tells those whom a change concerns', () => {
  const store = createStore({ a: 1, b: 1 });
  /** @type {number[]} */
  const seen = [];
  const stop = store.subscribe((s) => s.a, (a) => seen.push(a));
  store.set({ b: 2 });
  store.set({ a: 2 });
  store.set({ a: 2 });
  stop();
  store.set({ a: 3 });
  assert.deepEqual(seen, [1, 2]);
});

test('every error of the protocol that a person can meet has words', () => {
  for (const code of ['room-full', 'too-many-rooms', 'too-many-sessions', 'server-full', 'draining', 'replaced', 'bad-version', 'bad-name', 'bad-room-name', 'too-fast']) {
    assert.notEqual(errorText(code), strings.errorOther, code);
  }
  assert.equal(errorText('toString'), strings.errorOther);
  assert.equal(sizeText(0), '0 B');
  assert.deepEqual([999, 1000, 999_400, 999_999].map(sizeText), ['999 B', '1.0 kB', '999 kB', '1.0 MB']);
  assert.equal(sizeText(52_428_800), '52.4 MB');
  assert.equal(timeText(59.2), '60 s');
  assert.equal(timeText(61), '2 min');
  assert.equal(timeText(Infinity), '');
});
