import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from '../../../../crates/talkie-server/web/app/peer/gate.js';
import { parseControl } from '../../../../crates/talkie-server/web/app/peer/control.js';

/** @param {Gate} gate @param {{from: number, seconds: number, perSecond: number, bytes?: number}} how */
function send(gate, { from, seconds, perSecond, bytes = 50 }) {
  const verdicts = { take: 0, drop: 0, cut: 0 };
  for (let n = 0; n < seconds * perSecond; n += 1) verdicts[gate.admit(from + (n * 1000) / perSecond, bytes)] += 1;
  return verdicts;
}

test('what an honest peer says is taken, and so is a burst', () => {
  assert.deepEqual(send(new Gate(), { from: 0, seconds: 60, perSecond: 20 }), { take: 1200, drop: 0, cut: 0 });
  assert.equal(send(new Gate(), { from: 0, seconds: 1, perSecond: 300 }).drop, 0);
  assert.equal(send(new Gate(), { from: 0, seconds: 1, perSecond: 100, bytes: 30_000 }).drop, 0, 'the chat so far');
});

test('a flood is dropped at first and cut when it lasts', () => {
  const gate = new Gate();
  const first = send(gate, { from: 0, seconds: 4, perSecond: 5000 });
  assert.ok(first.take < 700 && first.drop > 19_000);
  assert.equal(first.cut, 0);
  assert.ok(send(gate, { from: 4000, seconds: 4, perSecond: 5000 }).cut > 0);
});

test('a flood that comes in lumps, as to a busy page, is one', () => {
  const gate = new Gate();
  const lumps = Array.from({ length: 4 }, (_, n) => send(gate, { from: n * 3000, seconds: 0.2, perSecond: 20_000 }));
  assert.ok((lumps.at(-1)?.cut ?? 0) > 0);
});

test('bytes count as messages do', () => {
  const gate = new Gate();
  const { take, cut } = send(gate, { from: 0, seconds: 20, perSecond: 50, bytes: 60_000 });
  assert.ok(take < 200, `${take}`);
  assert.ok(cut > 0);
});

test('two floods with a pause between them are two bursts', () => {
  const gate = new Gate();
  for (let round = 0; round < 4; round += 1) {
    const { drop, cut } = send(gate, { from: round * 30_000, seconds: 2, perSecond: 1000 });
    assert.ok(drop > 0);
    assert.equal(cut, 0);
  }
});

test('reasons that a peer tells are only those that we know', () => {
  const told = { type: 'path', kind: 'relay', via: 'tcp', why: ['symmetric', 'symmetric', '<b>', 7, 'policy'] };
  assert.deepEqual(parseControl(JSON.stringify(told)), { ...told, why: ['policy', 'symmetric'] });
  assert.deepEqual(parseControl('{"type":"path","kind":"nat","why":"policy"}'), { type: 'path', kind: 'nat', via: null, why: [] });
});
