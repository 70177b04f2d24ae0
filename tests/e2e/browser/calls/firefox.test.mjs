// Chromium and Firefox in one call, each once as the one who is there first; and Firefox through the relay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves, pairs } from '../harness/media.mjs';
import { enter, handsOver, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';

const company = Company.gather();

/** @param {import('../harness/person.mjs').Person[]} people in the order in which they come */
async function call(...people) {
  const room = newRoom();
  for (const person of people) await enter(person, company.server.network, room);
  for (const person of people) {
    await meets(person, 1);
    await moves(person, `${OTHERS} video`);
    await hears(person);
  }
  const [first, second] = people;
  await say(first, 'from the first');
  await readsInChat(second, 'from the first');
  await say(second, 'from the second');
  await readsInChat(first, 'from the second');
  await handsOver(first, second, 3_000_000);
  await goHome(...people);
}

test('Firefox calls Chromium', async () => {
  await call(await company.chromium('Ada'), await company.firefox('Mitchell'));
});

test('Chromium calls Firefox', async () => {
  await call(await company.firefox('Mitchell'), await company.chromium('Ada'));
});

for (const transport of ['udp', 'tcp', 'tls']) {
  test(`Firefox through the relay over ${transport.toUpperCase()}`, async () => {
    const mitchell = await company.firefox('Mitchell');
    const ada = await company.chromium('Ada');
    const room = newRoom();
    await enter(mitchell, company.server.named, room, `relay&transport=${transport}`);
    await enter(ada, company.server.network, room);
    for (const person of [mitchell, ada]) {
      await meets(person, 1);
      await moves(person, `${OTHERS} video`);
      await hears(person);
    }
    const [pair, ...more] = await pairs(mitchell);
    assert.deepEqual(more, []);
    assert.equal(pair?.local, 'relay');
    assert.equal(pair?.relay, transport);
    // What is slowest carries a file, too.
    if (transport === 'tls') await handsOver(ada, mitchell, 3_000_000);
    await goHome(mitchell, ada);
  });
}
