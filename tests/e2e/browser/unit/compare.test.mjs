// The comparison's frames and figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contest, summary } from '../../../../crates/talkie-server/web/app/pages/compare/figures.js';
import { quantile } from '../../../../crates/talkie-server/web/app/pages/quantile.js';
import { axisEnd } from '../../../../crates/talkie-server/web/app/ui/axis.js';
import { LOAD_BYTES, loadFrame, parseFrame, pingFrame, wordsFrame } from '../../../../crates/talkie-server/web/app/pages/compare/frames.js';

test('frames are read as they were written', () => {
  assert.deepEqual(parseFrame(pingFrame('ping', 7).buffer), { kind: 'ping', number: 7 });
  assert.deepEqual(parseFrame(pingFrame('pong', 4_294_967_295).buffer), { kind: 'pong', number: 4_294_967_295 });
  assert.deepEqual(parseFrame(loadFrame().buffer), { kind: 'load', bytes: LOAD_BYTES });
  for (const words of /** @type {const} */ ([
    { type: 'hello', leads: true, draw: 0.5 },
    { type: 'fill', way: 'channel', ms: 4000, bytes: 1000 },
    { type: 'count', way: 'socket' },
    { type: 'counted', bytes: 5, ms: 0.5 },
    { type: 'description', description: { type: 'offer', sdp: 'v=0\r\n' } },
  ])) {
    assert.deepEqual(parseFrame(wordsFrame(words).buffer), { kind: 'words', words });
  }
});

test('what is no frame is nothing', () => {
  const bytes = (/** @type {number[]} */ ...all) => Uint8Array.from(all).buffer;
  for (const bad of ['text', null, bytes(), bytes(9), bytes(1, 2, 3), bytes(2, 0, 0, 0, 0, 0), bytes(0), bytes(0, 0xff), bytes(0, 0x5b, 0x5d), bytes(0, 0x33)]) {
    assert.equal(parseFrame(bad), null);
  }
  const words = (/** @type {any} */ all) => parseFrame(wordsFrame(all).buffer);
  for (const bad of [
    { type: 'fill', way: 'pigeon', ms: 1, bytes: 1 },
    { type: 'fill', way: 'socket', ms: 1e9, bytes: 1 },
    { type: 'fill', way: 'socket', ms: 1, bytes: -1 },
    { type: 'fill', way: 'socket', ms: '1', bytes: 1 },
    { type: 'counted', bytes: 1, ms: null },
    { type: 'description', description: { type: 'rollback', sdp: '' } },
    { type: 'description', description: null },
    { type: 'candidate', candidate: null },
    { type: 'constructor' },
    { type: 'candidate', candidate: { candidate: 'x'.repeat(60_000) } },
  ]) {
    assert.equal(words(bad), null, JSON.stringify(bad).slice(0, 60));
  }
});

test('round trips are summed up', () => {
  const trips = [10, 20, null, 30, 20].map((ms, i) => ({ at: i, ms }));
  const { p95, ...rest } = summary(trips) ?? assert.fail('no summary');
  assert.deepEqual(rest, { count: 4, lost: 1 - 4 / 5, median: 20, jitter: 10 });
  assert.ok(Math.abs(p95 - 28.5) < 1e-9);
  assert.equal(summary([]), null);
  assert.equal(summary([{ at: 0, ms: null }]), null);
  assert.equal(quantile([5], 0.95), 5);
});

test('who is better, and when nobody is', () => {
  assert.deepEqual(contest(10, 40), { better: 'a', times: 4 });
  assert.deepEqual(contest(40, 10), { better: 'b', times: 4 });
  assert.equal(contest(10, 10.5).better, 'even');
  assert.equal(contest(0.2, 0.5, 0.5).better, 'even');
  assert.equal(contest(0, 5).better, 'a');
  assert.equal(contest(0, 0).better, 'even');
});

test('an axis ends at a round number', () => {
  assert.deepEqual([0, -1, 0.3, 1, 7, 42, 900, 1100].map((value) => axisEnd(value)), [1, 1, 0.5, 1, 10, 50, 1000, 2000]);
  assert.deepEqual([0.3, 7, 42].map((value) => axisEnd(value, [1, 2, 4, 8, 10])), [0.4, 8, 80]);
});
