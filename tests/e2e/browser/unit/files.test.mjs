// The file protocol with the channel's two ends in one process, and what a hostile end can try.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK, BlockAssembler, blockLength, CHUNK, inertMime, parseFileMessage, sha256, WINDOW } from '../../../../crates/talkie-server/web/app/files/protocol.js';
import { Rate, secondsLeft } from '../../../../crates/talkie-server/web/app/files/rate.js';
import { Receiver } from '../../../../crates/talkie-server/web/app/files/receiver.js';
import { Sender, Source } from '../../../../crates/talkie-server/web/app/files/sender.js';

/** One end of a pair of channels that deliver in order, a little later. */
class Channel {
  /** @type {any} */ readyState = 'open';
  bufferedAmount = 0;
  /** @type {Channel|null} */ other = null;
  /** @type {any} */ onmessage;
  /** @type {any} */ onclose;
  /** @type {any} */ onbufferedamountlow;
  /** @type {any} */ onopen;
  /** @type {any[]} */ sent = [];

  /** @param {any} data */
  send(data) {
    const size = data.byteLength ?? data.length;
    this.sent.push(data);
    this.bufferedAmount += size;
    setImmediate(() => {
      this.bufferedAmount -= size;
      if (this.bufferedAmount === 0) this.onbufferedamountlow?.();
      if (this.other?.readyState === 'open') this.other.onmessage?.({ data });
    });
  }

  close() {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    setImmediate(() => {
      if (this.other && this.other.readyState === 'open') {
        this.other.readyState = 'closed';
        this.other.onclose?.();
      }
    });
  }
}

function pair() {
  const a = new Channel();
  const b = new Channel();
  a.other = b;
  b.other = a;
  return /** @type {[any, any]} */ ([a, b]);
}

/** @param {number} length */
function bytesOf(length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {(receiver: Receiver) => void} [offered] */
function transfer(bytes, offered = (receiver) => void receiver.accept()) {
  const [near, far] = pair();
  /** @type {any} */ const sent = {};
  /** @type {any} */ const received = {};
  const receiver = new Receiver(far, {
    offered: () => (offered(receiver), true),
    report: (report) => Object.assign(received, report),
  });
  const sender = new Sender(new Source(new File([bytes], 'a/b.bin', { type: 'text/html' })), near, (report) => Object.assign(sent, report));
  near.onopen();
  return { near, far, sender, receiver, sent, received };
}

/** @param {() => boolean} done */
async function until(done) {
  for (let i = 0; i < 20_000 && !done(); i += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(done(), 'did not come to an end');
}

for (const length of [0, 1, CHUNK, BLOCK, BLOCK + 1, 3 * BLOCK + 12_345]) {
  test(`a file of ${length} bytes arrives whole and verified`, async () => {
    const bytes = bytesOf(length);
    const { receiver, sent, received } = transfer(bytes);
    await until(() => sent.state !== undefined && sent.state !== 'active');
    assert.deepEqual([sent.state, sent.verified, received.state, received.verified], ['done', true, 'done', true]);
    assert.equal(receiver.offer?.name, 'b.bin');
    const blob = await (await fetch(received.url)).arrayBuffer();
    assert.deepEqual(new Uint8Array(blob), bytes);
    assert.equal((await fetch(received.url)).headers.get('content-type'), 'application/octet-stream', 'html is not run from our origin');
  });
}

test('nothing is sent before the file is accepted, and a refusal is told', async () => {
  const { near, sent } = transfer(bytesOf(100), (receiver) => receiver.decline());
  await until(() => sent.state === 'declined');
  assert.equal(near.sent.filter((/** @type {any} */ data) => typeof data !== 'string').length, 0);
});

test('the sender stops at the window while nothing is acknowledged', async () => {
  const { near, far, sent } = transfer(bytesOf(WINDOW + 4 * BLOCK), () => {});
  await until(() => near.sent.length > 0);
  far.onmessage = () => {};
  near.onmessage({ data: '{"type":"accept"}' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const poured = () => near.sent.reduce((/** @type {number} */ sum, /** @type {any} */ data) => sum + (data.byteLength ?? 0), 0);
  assert.equal(poured(), WINDOW);
  near.onmessage({ data: JSON.stringify({ type: 'ack', bytes: BLOCK }) });
  await until(() => poured() === WINDOW + BLOCK);
  assert.equal(sent.bytes, BLOCK);
});

test('cancelling at either end ends both', async () => {
  const one = transfer(bytesOf(4 * BLOCK));
  await until(() => one.received.bytes > 0);
  one.receiver.cancel();
  await until(() => one.sent.state === 'cancelled');
  const two = transfer(bytesOf(4 * BLOCK));
  await until(() => two.sent.bytes > 0);
  two.sender.cancel();
  await until(() => two.received.state === 'cancelled');
});

test('a connection that goes away is a failure at both ends', async () => {
  const { near, far, sent, received } = transfer(bytesOf(4 * BLOCK));
  await until(() => received.bytes > 0);
  for (const end of [near, far]) {
    end.readyState = 'closed';
    end.onclose();
  }
  await until(() => received.state === 'failed' && sent.state === 'failed');
  assert.deepEqual([sent.reason, received.reason], ['lost', 'lost']);
});

/** A receiver that has accepted a file of this size, fed by hand. @param {number} size */
function victim(size) {
  const [near, far] = pair();
  /** @type {any} */ const received = {};
  const receiver = new Receiver(far, { offered: () => true, report: (report) => Object.assign(received, report) });
  far.onmessage({ data: JSON.stringify({ type: 'offer', name: 'x', size }) });
  return { near, far, receiver, received };
}

test('hostile senders are cut off', async (t) => {
  /** @type {Record<string, (v: ReturnType<typeof victim>) => Promise<void>|void>} */
  const attacks = {
    'data before it was accepted': ({ far }) => far.onmessage({ data: new ArrayBuffer(1) }),
    'garbage': ({ far }) => far.onmessage({ data: '{"type":"launch"}' }),
    'a second offer': ({ far }) => far.onmessage({ data: '{"type":"offer","name":"y","size":1}' }),
    'more than announced': async ({ far, receiver }) => {
      await receiver.accept();
      far.onmessage({ data: new ArrayBuffer(101) });
    },
    'an end too soon': async ({ far, receiver }) => {
      await receiver.accept();
      far.onmessage({ data: '{"type":"end"}' });
    },
    'a block out of turn': async ({ far, receiver }) => {
      await receiver.accept();
      far.onmessage({ data: new ArrayBuffer(100) });
      far.onmessage({ data: '{"type":"digest","block":1,"sha256":null}' });
    },
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await t.test(name, async () => {
      const v = victim(100);
      await attack(v);
      await until(() => v.received.state === 'failed');
      assert.equal(v.received.reason, 'protocol');
      assert.equal(v.far.readyState, 'closed');
    });
  }
  await t.test('a block that is not what its digest says', async () => {
    const v = victim(100);
    await v.receiver.accept();
    v.far.onmessage({ data: new ArrayBuffer(100) });
    v.far.onmessage({ data: JSON.stringify({ type: 'digest', block: 0, sha256: '0'.repeat(64) }) });
    await until(() => v.received.state === 'failed');
    assert.equal(v.received.reason, 'damaged');
  });
});

test('messages of the protocol are judged before they are used', () => {
  for (const bad of ['', 'null', '7', '[]', '{}', '{"type":"offer"}', '{"type":"offer","name":"x","size":-1}', '{"type":"offer","name":"x","size":1e300}', '{"type":"offer","name":1,"size":1}', '{"type":"ack","bytes":"1"}', `{"type":"end","x":"${'x'.repeat(20_000)}"}`]) {
    assert.equal(parseFileMessage(bad), null, bad.slice(0, 50));
  }
  assert.deepEqual(parseFileMessage('{"type":"cancel","reason":"<b>"}'), { type: 'cancel', reason: 'protocol' });
  assert.deepEqual(parseFileMessage('{"type":"offer","name":"../x","size":1,"mime":"a b"}'), { type: 'offer', name: 'x', size: 1, mime: '' });
});

test('blocks, digests, types and figures', async () => {
  assert.equal(blockLength(BLOCK + 5, 1), 5);
  assert.equal(blockLength(BLOCK + 5, 2), 0);
  const assembler = new BlockAssembler(3);
  assert.ok(assembler.add(new Uint8Array([1, 2]).buffer));
  assert.equal(assembler.take(0), null);
  assert.ok(assembler.add(new Uint8Array([3]).buffer));
  assert.deepEqual([...(assembler.take(0) ?? [])], [1, 2, 3]);
  assert.equal(assembler.complete, 3);
  assert.equal(await sha256(new TextEncoder().encode('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
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
