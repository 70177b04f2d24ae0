// Sealed payloads: the bytes on the wire, and what happens to those that somebody touched.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64url, fields, fromBase64url, utf8 } from '../../../../crates/talkie-server/web/app/trust/bytes.js';
import { Channel, Tampered } from '../../../../crates/talkie-server/web/app/trust/channel.js';
import { webCrypto } from '../../../../crates/talkie-server/web/app/trust/crypto.js';
import { freshNonce, keylessCard, RoomKeys } from '../../../../crates/talkie-server/web/app/trust/room-keys.js';
import { SealedRoom } from '../../../../crates/talkie-server/web/app/trust/sealed-room.js';
import { vendoredCrypto } from '../../../../crates/talkie-server/web/app/trust/vendored-crypto.js';

const ROOM = 'calm-otter-bridge';
const KEY = 'AAECAwQFBgcICQoLDA0ODw';
/** @param {number} byte @returns {Uint8Array<ArrayBuffer>} */
const nonce = (byte) => new Uint8Array(32).fill(byte);
const ADA = { id: 'ada', nonce: nonce(0xa0) };
const GRACE = { id: 'grace', nonce: nonce(0xb0) };
const OFFER = '{"link":"tag","description":{"type":"offer","sdp":"v=0"}}';

const kinds = { WebCrypto: async () => webCrypto(crypto.subtle), vendored: vendoredCrypto };
const subtle = webCrypto(crypto.subtle);
const keys = (room = ROOM, key = KEY, crypto = subtle) => new RoomKeys(crypto, room, key);

for (const [name, load] of Object.entries(kinds)) {
  test(`fixed keys and nonces give fixed bytes (docs/signaling.md), by ${name}`, async () => {
    const k = keys(ROOM, KEY, await load());
    assert.equal(await k.check(), VECTORS.check);
    assert.equal(await k.makeCard(ADA.nonce, 'Ada'), VECTORS.card);
    assert.deepEqual(await k.openCard(VECTORS.card), { nonce: ADA.nonce, name: 'Ada' });
    const channel = new Channel(k, ADA, GRACE);
    assert.deepEqual(await channel.seal(OFFER), { sealed: { n: 1, data: VECTORS.first } });
    assert.deepEqual(await channel.seal('{"restart":true}'), { sealed: { n: 2, data: VECTORS.second } });
    const other = new Channel(k, ADA, GRACE);
    assert.deepEqual(await other.open({ sealed: { n: 1, data: VECTORS.first } }), JSON.parse(OFFER));
    assert.deepEqual(await other.open({ sealed: { n: 2, data: VECTORS.second } }), { restart: true });
  });
}

const VECTORS = {
  check: 'RKZogAifADxnDeZVpwsvJNv2J8mjaxYR3U_VLjSQiRM',
  card: '1.oKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKA.Bv9bjd0CkCAZFhoX-RXvoMnRnn1CKYDX-IUZncNxaOXkrmbVDdivpA_ISNUJVNXNxORGI37PuC1ZSlUch0zoFIKUiuBanxO1ej39P7JFETiHvGFKvAujBodAnEjt8TMu-vbvCCc6yXbOOAt0aneckqmyabzFG4_YDiePnNIBN8wlVndI8nfaYU2-f5K3xgTw',
  first: 'RAzqLdg1peLCsomxY_c8d6C_5-xLTEUWFAHNnDGdrkxbFbmCXxBHCbCU5NV7xEqaqTwGg4AN-5tyCIXN7u9qgKQO8xo9La1TQA',
  second: 'XHODHGzaZQCzMfAL7PZJf9QMriHstcmxOZwYReCcFBo',
};

describe('a payload', () => {
  /** @param {Partial<{room: string, key: string, from: any, to: any}>} other what is different at the receiving end */
  const received = async (other, /** @type {(payload: any) => unknown} */ touch = (payload) => payload) => {
    const payload = await new Channel(keys(), ADA, GRACE).seal(OFFER);
    const end = new Channel(keys(other.room, other.key), other.from ?? ADA, other.to ?? GRACE);
    return end.open(touch(structuredClone(payload)));
  };

  test('opens for whom it was sealed', async () => {
    assert.deepEqual(await received({}), JSON.parse(OFFER));
  });

  test('opens for nobody else: other key, room, ids, nonces or direction', async () => {
    const others = [
      { key: `${KEY}A` },
      { room: 'calm-otter-bridges' },
      { from: { ...ADA, id: 'mallory' } },
      { to: { ...GRACE, id: 'mallory' } },
      { from: { ...ADA, nonce: nonce(1) } },
      { to: { ...GRACE, nonce: nonce(1) } },
      { from: GRACE, to: ADA },
    ];
    for (const other of others) await assert.rejects(received(other), Tampered, JSON.stringify(other));
  });

  test('is refused when anything in it was touched', async () => {
    const flip = (/** @type {string} */ data, /** @type {number} */ at) => {
      const bytes = fromBase64url(data) ?? new Uint8Array();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return base64url(bytes);
    };
    const touches = [
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: flip(p.sealed.data, 0) } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: flip(p.sealed.data, OFFER.length) } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: p.sealed.data.slice(0, -2) } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: `${p.sealed.data}=` } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: '' } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, data: 7 } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, n: 0 } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, n: 2 } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, n: '1' } }),
      (/** @type {any} */ p) => ({ sealed: { ...p.sealed, n: null } }),
      () => ({ sealed: null }),
      () => ({ sealed: [] }),
      () => JSON.parse(OFFER),
      () => null,
      () => 'sealed',
    ];
    for (const touch of touches) await assert.rejects(received({}, touch), Tampered, String(touch));
  });

  test('is refused when it comes again, too early, or after one that was kept back; then all are', async () => {
    const from = new Channel(keys(), ADA, GRACE);
    const [one, two, three] = [await from.seal('1'), await from.seal('2'), await from.seal('3')];
    for (const order of [[one, one], [two], [one, three], [one, two, one]]) {
      const to = new Channel(keys(), ADA, GRACE);
      for (const payload of order.slice(0, -1)) await to.open(payload);
      await assert.rejects(to.open(order.at(-1)), Tampered);
      await assert.rejects(to.open(three), /after an earlier one/);
    }
  });
});

describe('a card', () => {
  test('opens with the key and room it was made for, and shows the name in no other way', async () => {
    const card = await keys().makeCard(freshNonce(), 'Ada Lovelace');
    assert.match(card, /^1\.[\w-]{43}\.[\w-]+$/);
    assert.equal((await keys().openCard(card))?.name, 'Ada Lovelace');
    assert.equal(await keys('other-room').openCard(card), null);
    assert.equal(await keys(ROOM, `${KEY}A`).openCard(card), null);
    assert.equal(card.includes(base64url(utf8('Ada'))), false);
    assert.equal((await keys().makeCard(freshNonce(), '')).length, card.length, 'its length does not tell the name');
  });

  test('of the longest name fits, and names are cleaned on the way in', async () => {
    for (const name of ['\u{1f642}'.repeat(64), '"\\'.repeat(32)]) {
      const card = await keys().makeCard(freshNonce(), name);
      assert.ok(card.length <= 1024, `${card.length}`);
      assert.equal((await keys().openCard(card))?.name, name);
    }
    assert.equal((await keys().openCard(await keys().makeCard(freshNonce(), `\u202eevil\u0000${'x'.repeat(100)}`)))?.name.length, 64);
  });

  test('that is hostile is none', async () => {
    const good = await keys().makeCard(freshNonce(), 'Ada');
    const [, n = '', sealed = ''] = good.split('.');
    const swapped = `1.${base64url(freshNonce())}.${sealed}`;
    for (const bad of [undefined, null, 7, {}, '', '.', '..', 'x'.repeat(100_000), keylessCard(), swapped, `${good}.`, `2.${n}.${sealed}`, `1.${n}.`, `1..${sealed}`, `1.${n}.${sealed}AA`, `1.${n.slice(2)}.${sealed}`, `1.${n}.!${sealed}`]) {
      assert.equal(await keys().openCard(bad), null, String(bad).slice(0, 80));
    }
  });
});

test('fields of different lists never give the same bytes', () => {
  assert.notDeepEqual(fields('ab', 'c'), fields('a', 'bc'));
  assert.notDeepEqual(fields('a'), fields('a', ''));
  assert.deepEqual([...fields('é')], [0, 2, 0xc3, 0xa9]);
});

describe('a sealed room', () => {
  const enter = async (/** @type {string} */ id, /** @type {string} */ name) => {
    const room = new SealedRoom(keys());
    const card = await room.card(name);
    room.joined(id);
    return { id, card, room };
  };

  test('two who meet understand each other, also when messages cross', async () => {
    const [ada, grace] = [await enter('a1', 'Ada'), await enter('g1', 'Grace')];
    assert.equal(await ada.room.meet(grace), 'Grace');
    assert.equal(await grace.room.meet(ada), 'Ada');
    const [there, back] = [await ada.room.seal('g1', '"hello"'), await grace.room.seal('a1', '"hi"')];
    assert.equal(await grace.room.open('a1', there), 'hello');
    assert.equal(await ada.room.open('g1', back), 'hi');
  });

  test('a card is met once: keys are never used anew from the start', async () => {
    const [ada, grace] = [await enter('a1', 'Ada'), await enter('g1', 'Grace')];
    await ada.room.meet(grace);
    await grace.room.meet(ada);
    const first = await ada.room.seal('g1', '"first"');
    assert.equal(await grace.room.open('a1', first), 'first');
    for (const again of [() => grace.room.part('a1'), () => grace.room.joined('g1'), () => undefined]) {
      // A server that lets somebody come again with the same card, to have what was said before believed again.
      again();
      assert.equal(await grace.room.meet(ada), null);
      await assert.rejects(grace.room.open('a1', first), Tampered);
      assert.equal(grace.room.seal('a1', '"second"'), null);
    }
    assert.equal(await grace.room.meet({ id: 'other', card: ada.card }), null);
  });

  test('two whose cards were swapped do not', async () => {
    const [ada, grace, joan] = [await enter('a1', 'Ada'), await enter('g1', 'Grace'), await enter('j1', 'Joan')];
    await ada.room.meet({ id: 'g1', card: joan.card });
    await grace.room.meet(ada);
    await assert.rejects(grace.room.open('a1', await ada.room.seal('g1', '1')), Tampered);
    await assert.rejects(ada.room.open('g1', await grace.room.seal('a1', '1')), Tampered);
  });

  test('payloads of an earlier join do not open after the next', async () => {
    const [ada, grace] = [await enter('a1', 'Ada'), await enter('g1', 'Grace')];
    await ada.room.meet(grace);
    await grace.room.meet(ada);
    const old = await ada.room.seal('g1', '"old"');
    await grace.room.card('Grace');
    // Even if the server gave the same ids again.
    grace.room.joined('g1');
    await grace.room.meet(ada);
    await assert.rejects(grace.room.open('a1', old), Tampered);
    // Once more, and this time nothing old gets in the way.
    const third = await grace.room.card('Grace');
    grace.room.joined('g1');
    await grace.room.meet(ada);
    await ada.room.meet({ id: 'g1', card: third });
    assert.equal(await grace.room.open('a1', await ada.room.seal('g1', '"new"')), 'new');
  });

  test('nobody is sealed for, or listened to, whose card does not open', async () => {
    const ada = await enter('a1', 'Ada');
    assert.equal(await ada.room.meet({ id: 'm1', card: keylessCard() }), null);
    assert.equal(ada.room.seal('m1', '1'), null);
    await assert.rejects(ada.room.open('m1', { sealed: { n: 1, data: 'AAAA' } }), Tampered);
    await assert.rejects(ada.room.open('never-seen', { restart: true }), Tampered);
  });
});
