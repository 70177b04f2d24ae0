// /check in Chromium: what it says about a relay that works, and about ones that don't.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { ask, finished, legs, measure, openCheck } from '../harness/check.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { CARD } from '../harness/server.mjs';

const company = Company.gather('--turn-user', 'ada:lovelace');

/** Takes every packet and answers none, as a firewall that swallows UDP. */
const silence = createSocket('udp4');
before(() => new Promise((bound) => silence.bind(0, CARD, () => bound(undefined))));
after(() => silence.close());

test('every way to the relay works, and a call through each of two and directly measures something', async () => {
  const ada = await company.chromium('Ada', { context: { permissions: ['clipboard-read', 'clipboard-write', 'camera', 'microphone'] } });
  await openCheck(ada, company.server.network);
  assert.equal(await finished(ada), 'allWorks');
  const found = await legs(ada);
  assert.deepEqual(Object.values(found), ['works', 'works', 'works', 'works']);

  // Both ports of the server answered, and nothing is in between.
  const remarks = await ada.evaluate(() => [...document.querySelectorAll('[data-testid="findings"] [data-code]')].map((one) => /** @type {HTMLElement} */ (one).dataset.code));
  assert.deepEqual(remarks.filter((code) => code?.startsWith('nat')), ['natNone']);

  const [udp, tls] = [Object.keys(found).find((url) => url.includes('transport=udp')), Object.keys(found).find((url) => url.startsWith('turns:'))];
  for (const [url, path, via] of [[udp, 'relay', 'udp'], [tls, 'relay', 'tls'], ['', 'direct', '']]) {
    const row = await measure(ada, url ?? assert.fail('no such server'));
    assert.deepEqual([row.path, row.via], [path, via]);
    assert.ok(row.rate > 0.1 && row.bytes > 0 && row.median > 0, JSON.stringify(row));
    assert.match(row.audio, /^\d/);
    assert.match(row.video, /^\d/);
  }

  await accessible(ada, '/check');
  await ada.click(id('report-json'));
  await ada.reads(id('report-json'), /Copied|已复制/);
  const report = JSON.parse(await ada.evaluate(() => navigator.clipboard.readText()));
  assert.equal(report.loopback.length, 3);
  assert.ok(report.candidates.every((/** @type {any} */ one) => !one.address.includes(CARD) && !('port' in one)));
  assert.ok(report.candidates.some((/** @type {any} */ one) => one.type === 'relay'));
  await goHome(ada);
});

test('wrong credentials are told from a closed port and from silence, and blocked UDP gets its sentence', async () => {
  const grace = await company.chromium('Grace');
  await openCheck(grace, company.server.network);
  await grace.click(id('ice-form'));
  await ask(grace, 'nonsense', '', '');
  await grace.reads(id('ice-error'), /URL/);

  const port = silence.address().port;
  const wrong = `turn:${CARD}:3478?transport=tcp`;
  const closed = `turn:${CARD}:7999?transport=tcp`;
  await ask(grace, wrong, 'ada', 'byron');
  await finished(grace, wrong);
  assert.equal(await grace.attribute(id('verdict'), 'data-code'), 'credentials');
  await ask(grace, closed, 'ada', 'lovelace');
  await finished(grace, closed);
  assert.deepEqual(await legs(grace), { [wrong]: 'credentials', [closed]: 'closed' });

  await grace.click(id('ice-reset'));
  await finished(grace, `stun:${CARD}:3478`);
  const silent = `turn:${CARD}:${port}?transport=udp`;
  await ask(grace, silent, 'ada', 'lovelace');
  await ask(grace, wrong, 'ada', 'lovelace');
  await finished(grace, silent);
  assert.deepEqual(await legs(grace), { [silent]: 'silent', [wrong]: 'works' });
  await grace.reads(id('verdict'), `TURN over TCP works; UDP is blocked`);
  await grace.reads(id('verdict'), `allow UDP port ${port} to ${CARD}`);
  await goHome(grace);
});

test('camera and microphone are shown on request, and given back', async () => {
  const ada = await company.chromium('Ada');
  await openCheck(ada, company.server.network);
  await ada.click(id('try-devices'));
  await ada.sees(id('check-preview'));
  await ada.reads(id('devices'), /fake_device_0/);
  await ada.click(id('try-devices'));
  assert.equal(await ada.evaluate(() => /** @type {HTMLVideoElement} */ (document.querySelector('[data-testid="check-preview"]')).srcObject), null);
  await goHome(ada);
});
