// Calls that may use nothing but the relay: as behind the strictest of firewalls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves, pairs } from '../harness/media.mjs';
import { enter, handsOver, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

for (const transport of ['udp', 'tcp', 'tls']) {
  test(`a call through the relay over ${transport.toUpperCase()}`, async () => {
    const ada = await company.chromium('Ada');
    const grace = await company.chromium('Grace');
    const room = newRoom();
    const query = `relay&transport=${transport}`;
    await enter(ada, company.server.network, room, query);
    await enter(grace, company.server.network, room, query);
    for (const person of [ada, grace]) {
      await meets(person, 1);
      await moves(person, `${OTHERS} video`);
      await hears(person);
      const [pair, ...more] = await pairs(person);
      assert.deepEqual(more, []);
      assert.equal(pair?.local, 'relay');
      assert.equal(pair?.relay, transport);
      await until('the badge says so', async () => (await person.attribute(OTHERS, 'data-badge')) === 'relay');
    }
    await say(ada, 'the long way round');
    await readsInChat(grace, 'the long way round');
    await handsOver(grace, ada, 5_000_000);
    await goHome(ada, grace);
  });
}

test('TLS to the relay takes the port of the web app, so that one open port is enough', async () => {
  const ada = await company.chromium('Ada');
  const room = newRoom();
  await enter(ada, company.server.network, room, 'relay&transport=tls');
  const grace = await company.chromium('Grace');
  await enter(grace, company.server.network, room, 'relay&transport=tls');
  await meets(ada, 1);
  const urls = await ada.evaluate(async () => {
    const [connection] = /** @type {any} */ (window).talkieConnections;
    const stats = [...(await connection.getStats()).values()];
    const pair = stats.find((report) => report.type === 'candidate-pair' && report.nominated);
    return stats.filter((report) => report.id === pair?.localCandidateId).map((report) => report.url);
  });
  assert.deepEqual(urls, ['turns:198.51.100.10:8443?transport=tcp']);
  await goHome(ada, grace);
});

test('who may use only the relay meets who may use everything', async () => {
  const ada = await company.chromium('Ada');
  const grace = await company.chromium('Grace');
  const room = newRoom();
  await enter(ada, company.server.network, room, 'relay');
  await enter(grace, company.server.network, room);
  for (const person of [ada, grace]) {
    await meets(person, 1);
    await moves(person, `${OTHERS} video`);
    await until('both badges say relayed', async () => (await person.attribute(OTHERS, 'data-badge')) === 'relay');
  }
  await goHome(ada, grace);
});
