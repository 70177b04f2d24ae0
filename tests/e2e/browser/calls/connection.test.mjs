// What the page says of its connections, and what somebody can do about them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

/** @param {Person} person */
async function opensTheConnection(person) {
  await person.evaluate((s) => /** @type {HTMLElement} */ (document.querySelector(s)).click(), `${OTHERS} ${id('badge')}`);
  await person.sees(id('connection-panel'));
}

/** Waits until the figures are those of a call in which everything flows. @param {Person} person */
async function readsFigures(person) {
  await person.reads(id('connection-figures'), /opus · [\d.]+ kbit\/s/i);
  await person.reads(id('connection-figures'), /VP8 · \d+ × \d+ · [\d.]+ fps/i);
  await person.reads(`${id('chart-rtt')} output`, /\d/);
  await until('a line is drawn', () => person.evaluate((s) => (document.querySelector(s)?.getAttribute('d')?.length ?? 0) > 30, `${id('chart-bitrate')} path`));
}

test('Chromium and Firefox show a direct way, bars, figures and charts', async () => {
  const [ada, mitchell] = [await company.chromium('Ada'), await company.firefox('Mitchell')];
  const room = newRoom();
  for (const person of [ada, mitchell]) await enter(person, company.server.network, room);
  for (const person of [ada, mitchell]) {
    await meets(person, 1);
    // How good it is depends on what else the machine does; that it is said in words does not.
    await until('the bars are there', async () => Number(await person.attribute(OTHERS, 'data-quality')) >= 1);
    assert.match((await person.attribute(`${OTHERS} ${id('badge')}`, 'aria-label')) ?? '', /(good|fair|bad) connection/i);
    await opensTheConnection(person);
    await readsFigures(person);
    assert.doesNotMatch(await person.text(id('connection-way')), /relay/i);
    assert.equal(await person.count(id('connection-why')), 0);
  }
  await ada.screenshot('connection-panel');

  await ada.click(id('chart-as-table'));
  await ada.reads(id('chart-table'), /\d+:\d+/);
  await ada.click(id('chart-as-table'));
  await ada.click(id('chart-pause'));
  assert.equal(await ada.attribute(id('chart-pause'), 'aria-pressed'), 'true');

  await ada.click(id('ice-restart'));
  await ada.reads(id('connection-events'), 'ICE restart');
  await mitchell.reads(id('connection-events'), 'ICE restart');
  for (const person of [ada, mitchell]) {
    await meets(person, 1);
    await moves(person, `${OTHERS} video`);
  }
  await exportsTheCall(ada);
  await explainsTheDescriptions(ada);
  await goHome(ada, mitchell);
});

/** @param {Person} person with Chromium */
async function exportsTheCall(person) {
  const download = person.page.waitForEvent('download');
  await person.click(id('export'));
  const text = await readFile(await (await download).path(), 'utf8');
  const { schema, version, peers } = JSON.parse(text);
  assert.deepEqual([schema, version, peers.length], ['talkie-call-statistics', 1, 1]);
  assert.ok(peers[0].samples.length >= 3 && peers[0].samples.some((/** @type {any} */ s) => s.in.video > 0));
  assert.ok(peers[0].pairs.length >= 1);
  assert.ok(peers[0].events.some((/** @type {any} */ event) => event.what === 'ice-restart' || event.what === 'ice-restart-asked'));
  assert.doesNotMatch(text, /198\.51\.100|2001:db8|\.local|Mitchell/);
}

/** Another tab asks for the descriptions, as the page that explains them does. @param {Person} person with Chromium */
async function explainsTheDescriptions(person) {
  const tab = await person.page.context().newPage();
  await tab.goto(company.server.network);
  const answer = await tab.evaluate(() => new Promise((resolve) => {
    const channel = new BroadcastChannel('talkie-sdp');
    channel.onmessage = ({ data }) => data.type === 'descriptions' && resolve(data);
    channel.postMessage({ type: 'ask' });
  }));
  const [{ name, local, remote }] = /** @type {any} */ (answer).peers;
  assert.equal(name, 'Mitchell');
  assert.deepEqual([local.type, remote.type].sort(), ['answer', 'offer']);
  assert.match(local.sdp, /^v=0/);
  // Chromium writes the peer's o= line anew once candidates have come; what Firefox says of Opus stays.
  assert.ok(/^a=fmtp:109 .*maxplaybackrate=48000/m.test(remote.sdp), remote.sdp.slice(0, 300));
  await tab.close();
}

test('a relayed call says why, on both sides', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.chromium('Grace')];
  const room = newRoom();
  await enter(ada, company.server.network, room, 'relay&transport=tcp');
  await enter(grace, company.server.network, room);
  for (const person of [ada, grace]) {
    await meets(person, 1);
    await until('the badge says relayed', async () => (await person.attribute(OTHERS, 'data-badge')) === 'relay');
    await opensTheConnection(person);
    await person.reads(id('connection-why'), '?relay');
  }
  await ada.reads(id('connection-way'), 'TCP');
  await ada.reads(id('connection-why'), 'On this side');
  await grace.reads(id('connection-why'), 'Ada tells of the other side');
  await grace.screenshot('connection-relayed');
  await goHome(ada, grace);
});
