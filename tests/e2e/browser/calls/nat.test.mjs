// Calls between two people behind NATs, through the server on the Internet between them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from '../harness/chromium.mjs';
import { hears, moves, pairs } from '../harness/media.mjs';
import { NatLab } from '../harness/nat-lab.mjs';
import { Person } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';

/** @typedef {Parameters<typeof NatLab.up>[0]} Types */

/** What is direct: seen by the server, or by the other. */
const DIRECT = ['srflx', 'prflx'];

/**
 * Two people meet, see and hear each other; by which pairs of candidates.
 * @param {import('node:test').TestContext} t
 * @param {Types} types
 */
async function meetThrough(t, types) {
  const lab = await NatLab.up(types);
  /** @type {import('playwright-core').Browser[]} */
  const browsers = [];
  try {
    const room = newRoom();
    const people = [];
    for (const [name, side] of /** @type {const} */ ([['Ada', 'left'], ['Grace', 'right']])) {
      const browser = await launchChromium(await lab.browser(side));
      browsers.push(browser);
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      people.push(await new Person(name, await context.newPage()).prepare());
    }
    const start = Date.now();
    for (const person of people) await enter(person, lab.server, room);
    for (const person of people) await meets(person, 1);
    t.diagnostic(`connected ${Date.now() - start} ms after the first came`);
    for (const person of people) {
      await moves(person, `${OTHERS} video`);
      await hears(person);
    }
    const used = [];
    for (const person of people) used.push(...(await pairs(person)));
    t.diagnostic(JSON.stringify(used));
    t.diagnostic(await lab.status());
    return used;
  } finally {
    for (const browser of browsers) await browser.close();
    await lab.down();
  }
}

for (const kind of /** @type {const} */ (['tun', 'kernel'])) {
  test(`two port-restricted NATs let a call go directly (${kind})`, async (t) => {
    const used = await meetThrough(t, { kind, left: 'port-restricted', right: 'port-restricted' });
    assert.equal(used.length, 2);
    for (const { local, remote, protocol } of used) {
      assert.ok(DIRECT.includes(local) && DIRECT.includes(remote), `${local} to ${remote}`);
      assert.equal(protocol, 'udp');
    }
  });
}

test('between two symmetric NATs a call is relayed', async (t) => {
  const used = await meetThrough(t, { left: 'symmetric', right: 'symmetric' });
  assert.equal(used.length, 2);
  for (const { local, remote } of used) assert.ok([local, remote].includes('relay'), `${local} to ${remote}`);
});
