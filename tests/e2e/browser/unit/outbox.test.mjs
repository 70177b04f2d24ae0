import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../../../crates/talkie-server/web/app/session/outbox.js';

/** @param {Outbox} outbox @param {number} now */
function sendable(outbox, now) {
  const sent = [];
  for (;;) {
    const next = outbox.next(now);
    if (!next || 'wait' in next) return { sent, wait: next?.wait ?? null };
    sent.push(next.seq);
  }
}

test('stays under the rate and says how long to wait', () => {
  const outbox = new Outbox();
  outbox.pace({ messagesPerSecond: 50, burst: 20 });
  for (let i = 0; i < 40; i += 1) outbox.push({ i });
  const { sent, wait } = sendable(outbox, 0);
  assert.equal(sent.length, 15);
  assert.equal(wait, 25);
  assert.equal(sendable(outbox, 25).sent.length, 1);
  assert.deepEqual(sendable(outbox, 60_000).sent.at(0), 17);
});

test('refuses to hold more than its limit', () => {
  const outbox = new Outbox(2);
  assert.deepEqual([outbox.push({}), outbox.push({}), outbox.push({})], [1, 2, null]);
});

test('an acknowledgement of what was never said, or of the past, changes nothing', () => {
  const outbox = new Outbox();
  outbox.push({});
  outbox.push({});
  for (const ack of [3, -1, NaN, '1', null]) outbox.acknowledge(ack);
  assert.deepEqual(sendable(outbox, 0).sent, [1, 2]);
  outbox.acknowledge(2);
  outbox.acknowledge(1);
  outbox.rewind();
  assert.deepEqual(sendable(outbox, 0).sent, []);
});
