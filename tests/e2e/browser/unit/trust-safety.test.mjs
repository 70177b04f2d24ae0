// The safety number: both sides find the same one, and only in the right order; and who may pass a lock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControl } from '../../../../crates/talkie-server/web/app/peer/control.js';
import { RoomLock } from '../../../../crates/talkie-server/web/app/session/lock.js';
import { Safety } from '../../../../crates/talkie-server/web/app/session/safety.js';
import { createStore, initialState } from '../../../../crates/talkie-server/web/app/state.js';
import { base64url, fromBase64url } from '../../../../crates/talkie-server/web/app/trust/bytes.js';
import { webCrypto } from '../../../../crates/talkie-server/web/app/trust/crypto.js';
import { commitmentTo, fingerprintsOf, safetyNumber } from '../../../../crates/talkie-server/web/app/trust/safety.js';

const subtle = webCrypto(crypto.subtle);
/** @param {string} hex */
const sdp = (hex) => `v=0\r\na=fingerprint:sha-256 ${hex}\r\nm=audio\r\na=fingerprint:SHA-256 ${hex.toLowerCase()}\r\n`;

test('fixed values give fixed numbers (docs/signaling.md)', async () => {
  const [ada, grace] = [new Uint8Array(32).fill(0xa0), new Uint8Array(32).fill(0xb0)];
  const fingerprints = fingerprintsOf(sdp('BB:02'), sdp('AA:01'), undefined);
  assert.deepEqual(fingerprints, ['sha-256 AA:01', 'sha-256 BB:02']);
  assert.equal(base64url(await commitmentTo(subtle, ada)), 'ExfMEQm7ewcbNGW_toKcnJDYJ5nOTOs7iRjl69makwE');
  assert.equal(await safetyNumber(subtle, fingerprints, ada, grace), '903 160 757 587');
});

/** Two ends of a connection; what they say passes `between`. @param {(message: any, to: string) => any} [between] */
function pair(between = (message) => message, seen = [sdp('AA:01'), sdp('BB:02'), sdp('BB:02'), sdp('AA:01')]) {
  /** @param {string} key @param {boolean} polite @param {number} at @returns {any} */
  const end = (key, polite, at) => {
    const store = createStore(initialState());
    store.set({ peers: [/** @type {any} */ ({ key, safety: null, verified: false })] });
    const link = { key, id: key, polite, pc: { currentLocalDescription: { sdp: seen[at] }, currentRemoteDescription: { sdp: seen[at + 1] } }, tell: (/** @type {any} */ message) => sent.push([polite, message]) };
    const safety = new Safety(/** @type {any} */ ({ store }));
    return { link, safety, number: () => store.get().peers[0]?.safety, hear: (/** @type {any} */ message) => /** @type {any} */ (safety.on)[message.type](link, message) };
  };
  /** @type {[boolean, any][]} */
  const sent = [];
  const [impolite, polite] = [end('i', false, 0), end('p', true, 2)];
  const settle = async () => {
    for (let quiet = 0; quiet < 20; quiet += 1) {
      await new Promise((wake) => setTimeout(wake, 1));
      for (const [byPolite, message] of sent.splice(0)) {
        quiet = 0;
        const heard = between(parseControl(JSON.stringify(message)), byPolite ? 'impolite' : 'polite');
        if (heard) (byPolite ? impolite : polite).hear(heard);
      }
    }
  };
  return { impolite, polite, settle, begin: () => [impolite, polite].forEach((one) => one.safety.opened(one.link)) };
}

test('both sides find the same number', async () => {
  const p = pair();
  p.begin();
  await p.settle();
  assert.match(p.polite.number(), /^\d{3} \d{3} \d{3} \d{3}$/);
  assert.equal(p.polite.number(), p.impolite.number());
});

test('a channel may be open before the answer is seen to be applied', async () => {
  const p = pair();
  const remote = p.polite.link.pc.currentRemoteDescription;
  p.polite.link.pc = Object.assign(new EventTarget(), p.polite.link.pc, { currentRemoteDescription: null });
  p.begin();
  await p.settle();
  assert.equal(p.polite.number(), null);
  p.polite.safety.connected(p.polite.link);
  p.polite.link.pc.currentRemoteDescription = remote;
  p.polite.link.pc.dispatchEvent(new Event('signalingstatechange'));
  p.polite.safety.connected(p.polite.link);
  await p.settle();
  assert.match(p.polite.number(), /^\d{3} /);
  assert.equal(p.polite.number(), p.impolite.number());
});

test('with other certificates at one side the numbers differ', async () => {
  const p = pair(undefined, [sdp('AA:01'), sdp('EE:66'), sdp('BB:02'), sdp('EE:66')]);
  p.begin();
  await p.settle();
  assert.notEqual(p.polite.number(), null);
  assert.notEqual(p.polite.number(), p.impolite.number());
});

test('a value other than the one committed to, or out of its turn, gives no number', async () => {
  const other = base64url(new Uint8Array(32).fill(7));
  const broken = pair((message, to) => (to === 'polite' && message.type === 'safety-reveal' ? { ...message, value: other } : message));
  const early = pair((message, to) => (to === 'polite' && message.type === 'safety-commit' ? { ...message, type: 'safety-reveal' } : message));
  for (const p of [broken, early]) {
    p.begin();
    await p.settle();
    assert.equal(p.polite.number(), null);
    // Nor does trying once more within the run.
    p.polite.hear({ type: 'safety-commit', value: other });
    p.polite.hear({ type: 'safety-reveal', value: other });
    await p.settle();
    assert.equal(p.polite.number(), null);
  }
});

test('messages of the run are judged', () => {
  const value = base64url(new Uint8Array(32));
  assert.deepEqual(parseControl(JSON.stringify({ type: 'safety-value', value })), { type: 'safety-value', value });
  for (const bad of [undefined, 7, '', value.slice(1), `${value}A`, 'x'.repeat(30_000), `${value.slice(1)}=`]) assert.equal(parseControl(JSON.stringify({ type: 'safety-value', value: bad })), null);
  assert.equal(parseControl(JSON.stringify({ type: 'knocking', card: 'x'.repeat(2000) })), null);
  assert.equal(fromBase64url('AAAAA'), null);
});

test('members lock again after a restart, let those in they know, and keep the list of knocks short', () => {
  const store = createStore(initialState());
  /** @type {any[]} */
  const sent = [];
  const lock = new RoomLock(store, (type, fields) => sent.push([type, fields]));
  lock.joined({ type: 'joined', locked: false, pass: 'one' });
  lock.handle({ type: 'room-locked', locked: true });
  lock.joined({ type: 'joined', locked: false, pass: 'two' });
  assert.deepEqual(sent.splice(0), [['lock', { locked: true }]]);
  assert.equal(lock.pass, 'two');
  // The same room that somebody opened while we were away stays open.
  lock.handle({ type: 'room-locked', locked: true });
  lock.joined({ type: 'joined', locked: false, pass: 'two' });
  assert.deepEqual(sent, []);

  lock.announced('card-1');
  lock.knock({ id: 'a', name: 'Ada', trusted: true }, 'card-1');
  lock.knock({ id: 'g', name: 'Grace', trusted: true }, 'card-2');
  lock.announced('card-2');
  assert.deepEqual(sent.splice(0), [['answer-knock', { id: 'a', admit: true }], ['answer-knock', { id: 'g', admit: true }]]);
  lock.handle({ type: 'knock-ended', id: 'g' });
  for (let i = 0; i < 100; i += 1) lock.knock({ id: `k${i}`, name: 'x', trusted: true }, `c${i}`);
  lock.knock({ id: 'k1', name: 'x', trusted: true }, 'c1');
  assert.equal(store.get().knocks.length, 16);
});
