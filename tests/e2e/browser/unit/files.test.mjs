// The file protocol with the channel's two ends in one process, and what a hostile end can try.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK, CHUNK, WINDOW } from '../../../../crates/talkie-server/web/app/files/protocol.js';
import { answer, greet } from '../../../../crates/talkie-server/web/app/files/greeting.js';
import { Lane } from '../../../../crates/talkie-server/web/app/files/lane.js';
import { Receiver } from '../../../../crates/talkie-server/web/app/files/receiver.js';
import { Sender } from '../../../../crates/talkie-server/web/app/files/sender.js';
import { Source } from '../../../../crates/talkie-server/web/app/files/source.js';
import { Wire } from '../../../../crates/talkie-server/web/app/files/wire.js';
import { bytesOf, MemorySink, pair, until } from './file-channels.mjs';

const PRINTS = { sender: 'sha-256 aa', receiver: 'sha-256 bb' };

/** @param {Uint8Array<ArrayBuffer>[]} contents */
function sourceOf(...contents) {
  return new Source(contents.map((bytes, i) => ({ path: contents.length > 1 ? `top/${i}.bin` : 'a.bin', file: new File([bytes], `${i}.bin`) })));
}

/** Offers the source over a new pair of channels. @param {Source} source @param {(receiver: Receiver, sink: MemorySink) => void} [offered] */
function transfer(source, offered = (receiver, sink) => void receiver.accept(async () => sink)) {
  const [near, far] = pair();
  /** @type {any} */ const sent = {};
  /** @type {any} */ const received = {};
  const sink = new MemorySink();
  /** @type {{receiver: Receiver}} */
  const there = /** @type {any} */ ({});
  const wire = new Wire(far);
  wire.listen({
    message: (message) => {
      if (message.type !== 'offer') return;
      there.receiver = new Receiver(message, wire, { offered: () => offered(there.receiver, sink), report: (report) => Object.assign(received, report) });
    },
    chunk: () => {}, garbage: () => {}, closed: () => {},
  });
  const sender = new Sender(source, (report) => Object.assign(sent, report));
  const lane = new Lane();
  sender.offer(new Wire(near), lane);
  return { near, far, sender, there, sent, received, sink, lane };
}

for (const length of [0, 1, CHUNK, BLOCK, BLOCK + 1, 3 * BLOCK + 12_345]) {
  test(`a file of ${length} bytes arrives whole and verified`, async () => {
    const bytes = bytesOf(length);
    const { sent, received, sink, there } = transfer(sourceOf(bytes));
    await until(() => sent.state !== undefined && sent.state !== 'active');
    assert.deepEqual([sent.state, sent.verified, received.state, received.verified], ['done', true, 'done', true]);
    assert.equal(there.receiver.manifest?.name, '0.bin');
    assert.deepEqual(sink.bytes, bytes);
    assert.ok(sink.finished);
  });
}

test('many files arrive one behind the other, with the folder’s name', async () => {
  const contents = Array.from({ length: 700 }, (_, i) => bytesOf(i * 13));
  const { sent, sink, there } = transfer(sourceOf(...contents));
  await until(() => sent.state === 'done');
  assert.deepEqual(sink.bytes, new Uint8Array(Buffer.concat(contents)));
  const { manifest } = there.receiver;
  assert.deepEqual([manifest?.name, manifest?.folder, manifest?.files.length], ['top', true, 700]);
  assert.deepEqual(manifest?.files[699], { path: 'top/699.bin', size: 699 * 13 });
});

test('nothing is sent before the offer is accepted, and a refusal is told', async () => {
  const { near, sent } = transfer(sourceOf(bytesOf(100)), (receiver) => receiver.decline());
  await until(() => sent.state === 'declined');
  assert.equal(near.poured, 0);
});

test('the sender stops at the window while nothing is stored', async () => {
  const { near, sent, sink } = transfer(sourceOf(bytesOf(WINDOW + 4 * BLOCK)), (receiver, s) => {
    s.gate = new Promise(() => {});
    void receiver.accept(async () => s);
  });
  await until(() => near.poured === WINDOW);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(near.poured, WINDOW);
  assert.equal(sink.parts.length, 0);
  assert.notEqual(sent.state, 'done');
});

test('either side pauses, and both have to go on', async () => {
  const { near, sender, there, sent, received } = transfer(sourceOf(bytesOf(40 * BLOCK)));
  await until(() => received.bytes > 0);
  there.receiver.pause(true);
  await until(() => sent.paused === 'them');
  sender.pause(true);
  await until(() => received.paused === 'us' && sent.paused === 'us');
  const before = near.poured;
  there.receiver.pause(false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(near.poured, before);
  sender.pause(false);
  await until(() => sent.state === 'done' && received.state === 'done');
});

test('cancelling at either end ends both, and what was written goes', async () => {
  const one = transfer(sourceOf(bytesOf(40 * BLOCK)));
  await until(() => one.received.bytes > 0);
  one.there.receiver.cancel();
  await until(() => one.sent.state === 'cancelled' && one.sink.aborted);
  const two = transfer(sourceOf(bytesOf(40 * BLOCK)));
  await until(() => two.sent.bytes > 0);
  two.sender.cancel();
  await until(() => two.received.state === 'cancelled' && two.sink.aborted);
});

test('a transfer that lost its channel goes on where it stopped', async () => {
  const bytes = bytesOf(30 * BLOCK + 5);
  const { near, sender, there, sent, received, sink, lane } = transfer(sourceOf(bytes));
  await until(() => received.bytes >= 3 * BLOCK);
  near.cut();
  assert.deepEqual([sent.state, received.state], ['interrupted', 'interrupted']);
  const [again, thither] = pair();
  const [wire, far] = [new Wire(again), new Wire(thither)];
  far.listen({
    message: async (message) => {
      if (message.type !== 'again') return;
      assert.equal(message.id, there.receiver.offer.id);
      if (await answer(far, there.receiver.offer, message.nonce, PRINTS)) void there.receiver.resume(far);
    },
    chunk: () => {}, garbage: () => {}, closed: () => {},
  });
  const at = await greet(wire, sender, PRINTS);
  assert.ok(at !== null && at >= 3 * BLOCK && at % BLOCK === 0, String(at));
  sender.resume(wire, lane, at);
  await until(() => sent.state === 'done' && received.state === 'done');
  assert.deepEqual(sink.bytes, bytes);
  assert.equal(again.poured, bytes.length - at);
  assert.equal(received.verified, true);
});

test('nobody else goes on with a transfer', async (t) => {
  /** @type {Record<string, [any, any, any]>} what the sender and the receiver know, and the fingerprints that the receiver sees */
  const cases = {
    'another token': [{ id: 'a'.repeat(32), token: '1' }, { id: 'a'.repeat(32), token: '2' }, PRINTS],
    'another connection': [{ id: 'a'.repeat(32), token: '1' }, { id: 'a'.repeat(32), token: '1' }, { ...PRINTS, sender: 'sha-256 cc' }],
  };
  for (const [name, [mine, theirs, prints]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const [near, far] = pair();
      const wire = new Wire(far);
      let believed = false;
      wire.listen({
        message: async (message) => message.type === 'again' && ((believed = await answer(wire, theirs, message.nonce, prints)), undefined),
        chunk: () => {}, garbage: () => {}, closed: () => {},
      });
      assert.equal(await greet(new Wire(near), mine, PRINTS), null);
      near.hears({ type: 'known', nonce: '0'.repeat(32), proof: '0'.repeat(64) });
      near.send(JSON.stringify({ type: 'prove', proof: '0'.repeat(64) }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(believed, false);
    });
  }
});

const OFFER = { type: 'offer', id: 'a'.repeat(32), token: 'b'.repeat(64), name: 'x', mime: '', size: 100, count: 1, folder: false };

/** A receiver that was offered 100 bytes, fed by hand. @param {Partial<typeof OFFER>} [offer] */
function victim(offer) {
  const [near, far] = pair();
  /** @type {any} */ const received = {};
  const receiver = new Receiver(/** @type {any} */ ({ ...OFFER, ...offer }), new Wire(far), { offered: () => {}, report: (report) => Object.assign(received, report) });
  const accepted = async () => {
    far.hears({ type: 'files', from: 0, files: [['x', 100]] });
    await receiver.accept(async () => new MemorySink());
  };
  return { near, far, receiver, received, accepted };
}

test('hostile senders are cut off', async (t) => {
  /** @type {Record<string, [string, (v: ReturnType<typeof victim>) => Promise<void>|void, Partial<typeof OFFER>?]>} */
  const attacks = {
    'data before it was accepted': ['protocol', ({ far }) => far.hears(new ArrayBuffer(1))],
    garbage: ['protocol', ({ far }) => far.hears({ type: 'launch' })],
    'a second offer': ['protocol', ({ far }) => far.hears(OFFER)],
    'more than announced': ['protocol', async ({ far, accepted }) => (await accepted(), far.hears(new ArrayBuffer(101)))],
    'chunks of nothing': ['protocol', async ({ far, accepted }) => (await accepted(), far.hears(new ArrayBuffer(0)))],
    'an end too soon': ['protocol', async ({ far, accepted }) => (await accepted(), far.hears({ type: 'end' }))],
    'a block out of turn': ['protocol', async ({ far, accepted }) => (await accepted(), far.hears(new ArrayBuffer(100)), far.hears({ type: 'digest', block: 1, sha256: null }))],
    'a wrong digest': ['damaged', async ({ far, accepted }) => (await accepted(), far.hears(new ArrayBuffer(100)), far.hears({ type: 'digest', block: 0, sha256: '0'.repeat(64) }))],
    'sizes that do not add up': ['list', ({ far }) => far.hears({ type: 'files', from: 0, files: [['x', 99]] })],
    'more files than announced': ['list', ({ far }) => far.hears({ type: 'files', from: 0, files: [['x', 50], ['y', 50]] })],
    'pieces out of turn': ['list', ({ far }) => far.hears({ type: 'files', from: 1, files: [['x', 100]] })],
    'pieces of nothing': ['list', ({ far }) => far.hears({ type: 'files', from: 0, files: [] })],
    'a list after the list': ['list', async ({ far, accepted }) => (await accepted(), far.hears({ type: 'files', from: 1, files: [['y', 0]] }))],
    'too many files': ['too-many', () => {}, { count: 10_001 }],
    'too many bytes': ['too-big', () => {}, { size: 2 ** 43 }],
    'a list without an end': ['list', ({ far }) => {
      for (let from = 0; from < 10_000; from += 30) far.hears({ type: 'files', from, files: Array.from({ length: 30 }, () => ['x'.repeat(1000), 0]) });
    }, { count: 10_000 }],
  };
  for (const [name, [reason, attack, offer]] of Object.entries(attacks)) {
    await t.test(name, async () => {
      const v = victim(offer);
      await attack(v);
      await until(() => v.received.state === 'failed');
      assert.equal(v.received.reason, reason);
      assert.equal(v.far.readyState, 'closed');
      assert.deepEqual(v.far.told.at(-1), { type: 'cancel', reason });
    });
  }
});

test('a receiver’s lies move nothing', async () => {
  const { near, sent, sender } = transfer(sourceOf(bytesOf(WINDOW + 4 * BLOCK)), () => {});
  await until(() => near.told.length === 2);
  near.other.onmessage = () => {};
  near.hears({ type: 'done', verified: true });
  assert.equal(sender.over, false);
  near.hears({ type: 'accept' });
  await until(() => near.poured === WINDOW);
  near.hears({ type: 'ack', bytes: 2 ** 50 });
  assert.equal(sent.bytes, WINDOW, 'no more than was sent');
  near.hears(new ArrayBuffer(5));
  assert.deepEqual([sent.state, sent.reason], ['failed', 'protocol']);
});
