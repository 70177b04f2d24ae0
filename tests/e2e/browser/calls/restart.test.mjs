// The server dies in the middle of a call and comes back.
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

const company = Company.gather();

test('the call outlives the server, and others can join once it is back', async () => {
  const { server } = company;
  const ada = await company.chromium('Ada');
  const grace = await company.chromium('Grace');
  const room = newRoom();
  for (const person of [ada, grace]) await enter(person, server.local, room);
  for (const person of [ada, grace]) await meets(person, 1);
  await moves(ada, `${OTHERS} video`);

  await server.kill();
  for (const person of [ada, grace]) {
    await until(`${person.name} is told`, async () => (await person.attribute(id('banner'), 'data-code')) === 'reconnecting');
    await moves(person, `${OTHERS} video`);
    await hears(person);
  }
  await say(ada, 'still here');
  await readsInChat(grace, 'still here');

  await server.run();
  for (const person of [ada, grace]) {
    await until(`${person.name} is back`, async () => (await person.attribute(id('banner'), 'data-code')) === '');
    await meets(person, 1);
  }
  const joan = await company.chromium('Joan');
  await enter(joan, server.local, room);
  for (const person of [ada, grace, joan]) await meets(person, 2);
  await moves(joan, `${OTHERS}:nth-of-type(1) video`);
  await moves(joan, `${OTHERS}:nth-of-type(2) video`);
  await moves(ada, `${OTHERS}:nth-of-type(1) video`);
  await say(joan, 'what did I miss?');
  await readsInChat(ada, 'what did I miss?');
  await readsInChat(grace, 'what did I miss?');
  await goHome(ada, grace, joan);
});
