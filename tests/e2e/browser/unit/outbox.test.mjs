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
  assert.deepEqual(sendable(outbox, 0).sent.length, 15);
  assert.deepEqual(sendable(outbox, 60_000), { sent: [], wait: null }, 'all may arrive at once');
  outbox.acknowledge(15, 60_000);
  assert.deepEqual(sendable(outbox, 60_000), { sent: [], wait: 25 });
  assert.deepEqual(sendable(outbox, 60_025).sent, [16]);
  assert.deepEqual(sendable(outbox, 60_325).sent.at(0), 17);
});

/** The server's token bucket: `burst` at once and `rate` a second. @param {number} rate @param {number} burst */
function bucket(rate, burst) {
  let fullAt = 0;
  return (/** @type {number} */ now) => {
    const next = Math.max(fullAt, now) + 1000 / rate;
    if (next - now > (burst * 1000) / rate) return false;
    fullAt = next;
    return true;
  };
}

for (const stall of [0, 300, 3000, 20_000]) {
  test(`is never too fast for the server, though the network stalls for ${stall} ms`, () => {
    const outbox = new Outbox();
    outbox.pace({ messagesPerSecond: 50, burst: 200 });
    const allows = bucket(50, 200);
    /** @type {{at: number, seq: number}[]} */ const up = [];
    /** @type {{at: number, ack: number}[]} */ const down = [];
    let [received, offered, refused] = [0, 0, 0];
    // What was sent during a stall arrives at its end, with what the line held already.
    const arrival = (/** @type {number} */ now) => (stall ? Math.ceil((now + 1) / stall) * stall : now) + 20;
    for (let now = 0; now < 120_000; now += 5) {
      if (now % 1000 === 0) for (let n = 0; n < 150 && offered < 2000; n += 1) offered += outbox.push({}) === null ? 0 : 1;
      for (const seq of sendable(outbox, now).sent) up.push({ at: arrival(now), seq });
      while ((up[0]?.at ?? Infinity) <= now) {
        received = up.shift()?.seq ?? 0;
        if (!allows(now)) refused += 1;
      }
      if (now % 250 === 0) down.push({ at: arrival(now), ack: received });
      while ((down[0]?.at ?? Infinity) <= now) outbox.acknowledge(down.shift()?.ack, now);
      // Pings and acknowledgements count too.
      if (now % 700 === 0 && !allows(now)) refused += 1;
    }
    assert.equal(refused, 0);
    assert.ok(received > (stall > 3000 ? 400 : 1900), `it gets on: ${received}`);
  });
}

test('refuses to hold more than its limit', () => {
  const outbox = new Outbox(2);
  assert.deepEqual([outbox.push({}), outbox.push({}), outbox.push({})], [1, 2, null]);
});

test('an acknowledgement of what was never said, or of the past, changes nothing', () => {
  const outbox = new Outbox();
  outbox.push({});
  outbox.push({});
  for (const ack of [3, -1, NaN, '1', null]) outbox.acknowledge(ack, 0);
  assert.deepEqual(sendable(outbox, 0).sent, [1, 2]);
  outbox.acknowledge(2, 0);
  outbox.acknowledge(1, 0);
  outbox.rewind();
  assert.deepEqual(sendable(outbox, 0).sent, []);
});
