// Files between Chromium and Firefox: pausing, giving up, several at once, and peers that mean harm.
import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WINDOW } from '../../../../crates/talkie-server/web/app/files/protocol.js';
import { Company, goHome } from '../harness/company.mjs';
import { becomes, IN, memoryOf, offers, OUT, rows, stores, withoutPickers } from '../harness/drop.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, openPanel, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();
/** @type {import('../harness/person.mjs').Person} */ let ada;
/** @type {import('../harness/person.mjs').Person} */ let mitchell;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-drop-'));
  ada = await company.chromium('Ada');
  mitchell = await company.firefox('Mitchell');
  const room = newRoom();
  for (const person of [ada, mitchell]) {
    await withoutPickers(person);
    await enter(person, company.server.network, room, 'nomedia');
  }
  for (const person of [ada, mitchell]) await meets(person, 1);
});
after(() => rm(folder, { recursive: true, force: true }));

/** @param {string} name @param {number} bytes */
async function file(name, bytes) {
  const path = join(folder, name);
  await writeFile(path, name);
  await truncate(path, bytes);
  return path;
}

const LONG = 2 ** 30;

for (const side of /** @type {const} */ (['sender', 'receiver'])) {
  test(`the ${side} pauses, goes on and cancels`, async () => {
    await offers(ada, await file(`${side}.bin`, LONG));
    await becomes(mitchell, 'in', 'offered');
    await mitchell.click(`${IN}[data-state="offered"] ${id('file-accept')}`);
    await stores(mitchell, 2 ** 20);
    const [one, other] = side === 'sender' ? [ada, mitchell] : [mitchell, ada];
    const [mine, theirs] = side === 'sender' ? [OUT, IN] : [IN, OUT];
    await one.click(`${mine}[data-state="active"] ${id('file-pause')}`);
    await other.sees(`${theirs}[data-paused="them"]`);
    await other.reads(`${theirs}[data-paused="them"] ${id('file-words')}`, 'Paused by the other side');
    // What is on its way arrives; then nothing moves.
    let before = -1;
    const at = await until('nothing moves', async () => {
      const { bytes } = (await rows(mitchell, 'in')).at(-1);
      const same = bytes === before && bytes;
      before = bytes;
      return same;
    }, { every: 1500 });
    await one.click(`${mine}[data-paused="us"] ${id('file-resume')}`);
    await stores(mitchell, at + 2 ** 20);
    await one.click(`${mine}[data-state="active"] ${id('file-cancel')}`);
    await becomes(mitchell, 'in', 'cancelled');
    await becomes(ada, 'out', 'cancelled');
  });
}

test('what was cancelled leaves nothing in the browser', async () => {
  const left = () => mitchell.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    let files = 0;
    try {
      const room = await root.getDirectoryHandle('talkie-received');
      for await (const tab of /** @type {any} */ (room).values()) for await (const _ of tab.values()) files += 1;
    } catch {
      // There never was one.
    }
    return files;
  });
  await until('the private files are gone', async () => (await left()) === 0);
});

test('three at once share the connection', async () => {
  const paths = [await file('one', LONG), await file('two', LONG), await file('three', LONG)];
  await offers(ada, ...paths);
  await until('three offers', async () => (await rows(mitchell, 'in')).filter((/** @type {any} */ t) => t.state === 'offered').length === 3);
  for (let left = 3; left > 0; left -= 1) {
    await mitchell.click(`${IN}[data-state="offered"] ${id('file-accept')}`);
    await until('one offer less', async () => (await mitchell.count(`${IN}[data-state="offered"]`)) === left - 1);
  }
  const active = async () => (await rows(mitchell, 'in')).filter((/** @type {any} */ t) => t.state === 'active');
  await until('all three move', async () => {
    const bytes = (await active()).map((/** @type {any} */ t) => t.bytes);
    if (bytes.length === 3 && Math.min(...bytes) > 0) return true;
    throw new Error(JSON.stringify(bytes));
  }, { patience: 120_000 });
  const begin = (await active()).map((/** @type {any} */ t) => t.bytes);
  const shares = await until('each has got a good deal', async () => {
    const now = (await active()).map((/** @type {any} */ t, /** @type {number} */ i) => t.bytes - begin[i]);
    if (Math.max(...now) > 24 * 2 ** 20) return now;
    throw new Error(JSON.stringify(now));
  }, { patience: 120_000 });
  assert.ok(Math.min(...shares) > Math.max(...shares) / 3, JSON.stringify(shares));
  // Talking goes on meanwhile.
  await say(ada, 'still talking');
  await readsInChat(mitchell, 'still talking');
  await ada.click(id('files'));
  for (const name of ['one', 'two', 'three']) await ada.click(`${OUT} [aria-label="Cancel: ${name}"]`);
  await until('all are cancelled', async () => (await active()).length === 0);
});

test('who lies about the size or the digest is cut off, and nothing of it is kept', async () => {
  for (const [lie, reason] of /** @type {const} */ ([['digest', 'damaged'], ['size', 'protocol']])) {
    const answer = speaks(ada, lie);
    await mitchell.click(`${IN}[data-state="offered"] ${id('file-accept')}`);
    assert.equal(await answer, reason);
    const row = await becomes(mitchell, 'in', 'failed');
    assert.deepEqual([row.reason, row.url, row.bytes], [reason, null, 0]);
  }
});

/** Offers 100 bytes by hand, and breaks its word when they are wanted. @param {import('../harness/person.mjs').Person} person @param {string} lie */
function speaks(person, lie) {
  return person.evaluate((what) => new Promise((resolve) => {
    const channel = /** @type {any} */ (window).talkie.peers[0].pc.createDataChannel('talkie-file');
    const tell = (/** @type {any} */ message) => channel.send(JSON.stringify(message));
    channel.onopen = () => {
      tell({ type: 'offer', id: crypto.randomUUID().replaceAll('-', ''), token: '0'.repeat(64), name: what, mime: '', size: 100, count: 1, folder: false });
      tell({ type: 'files', from: 0, files: [[what, 100]] });
    };
    channel.onmessage = (/** @type {MessageEvent} */ { data }) => {
      const message = JSON.parse(data);
      if (message.type !== 'accept') return resolve(message.reason ?? message.type);
      channel.send(new ArrayBuffer(what === 'size' ? 101 : 100));
      tell({ type: 'digest', block: 0, sha256: '0'.repeat(64) });
      tell({ type: 'end' });
    };
  }), lie);
}

test('who takes a file and never says that it is stored gets a window of it and no more', async () => {
  await mitchell.evaluate(() => {
    const { pc } = /** @type {any} */ (window).talkie.peers[0];
    const app = pc.ondatachannel;
    pc.ondatachannel = (/** @type {RTCDataChannelEvent} */ { channel }) => {
      pc.ondatachannel = app;
      channel.onmessage = ({ data }) => void (typeof data === 'string' && JSON.parse(data).type === 'files' && channel.send('{"type":"accept"}'));
    };
  });
  const rest = await memoryOf('chromium');
  await offers(ada, await file('silence.bin', LONG));
  await becomes(ada, 'out', 'active');
  const sent = () => ada.evaluate(async () => {
    const report = [.../** @type {any} */ (await /** @type {any} */ (window).talkie.peers[0].pc.getStats()).values()];
    return Math.max(...report.filter(({ type, label }) => type === 'data-channel' && label === 'talkie-file').map(({ bytesSent, state }) => (state === 'open' ? bytesSent : 0)));
  });
  await until('the window is full', async () => (await sent()) >= WINDOW);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok((await sent()) < WINDOW + 100_000, 'what is more is the list and the digests');
  assert.ok((await memoryOf('chromium')) - rest < 100 * 2 ** 20);
});

test('a flood of offers, lies and nonsense is refused and hurts nobody', async () => {
  await until('nothing is open', async () => !(await rows(mitchell, 'in')).some((/** @type {any} */ t) => t.state === 'offered' || t.state === 'active'));
  const before = (await rows(mitchell, 'in')).length;
  const answers = await ada.evaluate(async () => {
    const { pc } = /** @type {any} */ (window).talkie.peers[0];
    const hex = (/** @type {number} */ n) => Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => b.toString(16).padStart(2, '0')).join('');
    /** @param {any[]} says */
    const attack = (...says) => new Promise((resolve) => {
      const channel = pc.createDataChannel('talkie-file');
      channel.onopen = () => says.forEach((message) => channel.send(typeof message === 'string' ? message : JSON.stringify(message)));
      channel.onmessage = (/** @type {MessageEvent} */ { data }) => resolve(JSON.parse(data).reason ?? data);
      channel.onclose = () => resolve('closed');
      setTimeout(() => resolve('nothing'), 8000);
    });
    const offer = (more = {}) => ({ type: 'offer', id: hex(16), token: hex(32), name: 'x', mime: '', size: 1, count: 1, folder: false, ...more });
    const [many, huge, bomb, long, again] = await Promise.all([
      attack(offer({ count: 1e9 })),
      attack(offer({ size: 2 ** 50 })),
      attack(offer({ count: 10_000, size: 0 }), ...Array.from({ length: 400 }, (_, i) => ({ type: 'files', from: i * 25, files: Array.from({ length: 25 }, () => ['y'.repeat(1500), 0]) }))),
      attack(offer({ name: 'n'.repeat(100_000) })),
      attack({ type: 'again', id: hex(16), nonce: hex(16) }),
    ]);
    const name = `../../\u202Egpj.${'z'.repeat(5000)}<img src=x>.exe`;
    const flood = await Promise.all(Array.from({ length: 40 }, () => {
      const one = offer({ name });
      return attack(one, { type: 'files', from: 0, files: [[name, 1]] });
    }));
    return { many, huge, bomb, long, again, busy: flood.filter((reason) => reason === 'busy' || reason === 'closed').length };
  });
  assert.deepEqual({ ...answers, busy: 0 }, { many: 'too-many', huge: 'too-big', bomb: 'list', long: 'closed', again: 'unknown', busy: 0 });
  assert.ok(answers.busy >= 20, JSON.stringify(answers));
  const shown = (await rows(mitchell, 'in')).slice(before);
  assert.ok(shown.length > 0 && shown.length <= 16, String(shown.length));
  for (const { name } of shown) {
    assert.ok(name.length <= 200);
    assert.doesNotMatch(name, /[\u202e/<>]|\.\./);
  }
  await say(mitchell, 'nothing happened');
  await readsInChat(ada, 'nothing happened');
});

test('that the other side does nothing is said', async () => {
  await openPanel(ada, 'files');
  await ada.reads(`${OUT} ${id('file-words')}`, 'Waiting for the other side');
  await ada.click(`${OUT}[data-state="active"] ${id('file-cancel')}`);
  await becomes(ada, 'out', 'cancelled');
  await goHome(ada, mitchell);
});
