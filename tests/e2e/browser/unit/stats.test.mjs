// What a call's figures are made of, with reports that Chromium 156 and Firefox 153 gave in one call.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { exported } from '../../../../crates/talkie-server/web/app/stats/export.js';
import { History } from '../../../../crates/talkie-server/web/app/stats/history.js';
import { barsOf, Quality } from '../../../../crates/talkie-server/web/app/stats/quality.js';
import { read } from '../../../../crates/talkie-server/web/app/stats/read.js';
import { explain, reasonsHere } from '../../../../crates/talkie-server/web/app/stats/reasons.js';
import { sampleOf } from '../../../../crates/talkie-server/web/app/stats/sample.js';
import { candidateOf, Trace } from '../../../../crates/talkie-server/web/app/peer/trace.js';

/** @param {string} name */
const dump = (name) => read(Object.values(JSON.parse(readFileSync(new URL(`stats/${name}.json`, import.meta.url), 'utf8'))), { camera: '1', screen: '2' });

for (const browser of ['chromium', 'firefox']) {
  test(`two reports of ${browser} make a whole sample`, () => {
    const sample = sampleOf(dump(`${browser}-1`), dump(`${browser}-2`));
    assert.ok(sample);
    for (const way of [sample.in, sample.out]) {
      assert.ok(way.audio !== null && way.audio > 10 && way.audio < 200, `sound ${way.audio}`);
      assert.ok(way.video !== null && way.video > 50 && way.video < 4000, `pictures ${way.video}`);
      assert.equal(way.loss, 0);
      assert.ok(way.jitter !== null && way.jitter < 50);
      assert.ok(way.packets > 100);
      assert.equal(way.audioCodec, 'opus');
      assert.equal(way.camera?.codec, 'VP8');
      assert.ok((way.camera?.fps ?? 0) >= 10 && (way.camera?.fps ?? 0) <= 35);
      assert.ok((way.camera?.width ?? 0) > (way.camera?.height ?? 0));
      assert.equal(way.screen, null, 'an m-line that nothing goes through is no picture');
    }
    assert.ok(sample.rtt !== null && sample.rtt > 0 && sample.rtt < 50);
    assert.ok(sample.buffer !== null && sample.buffer > 1 && sample.buffer < 500, `waits ${sample.buffer} ms`);
    // Firefox tells neither: unknown is not none.
    assert.equal(sample.available === null, browser === 'firefox');
    assert.equal(sample.out.camera?.limitation === null, browser === 'firefox');
  });
}

test('the pair in use is found in both reports, with its ends', () => {
  assert.deepEqual([dump('chromium-2').pair?.local.type, dump('chromium-2').pair?.remote.type], ['host', 'srflx']);
  assert.deepEqual([dump('firefox-2').pair?.local.type, dump('firefox-2').pair?.remote.type], ['host', 'prflx']);
  assert.equal(dump('firefox-2').path?.kind, 'nat');
});

test('a report without anything, and one that went back in time, break nothing', () => {
  const empty = read([]);
  assert.deepEqual([empty.path, empty.pair, empty.rtt], [null, null, null]);
  assert.equal(sampleOf(empty, empty), null);
  const [one, two] = [dump('firefox-1'), dump('firefox-2')];
  const back = sampleOf({ ...two, at: one.at }, { ...one, at: two.at });
  assert.equal(back?.in.audio, null);
  assert.equal(back?.in.packets, 0);
});

/** @param {Partial<{rtt: number|null, loss: number|null, jitter: number|null, out: number|null}>} figures */
function sample({ rtt = 20, loss = 0, jitter = 2, out = 0 }) {
  const flow = { audio: 40, video: 500, loss, jitter, packets: 100, nack: 0, audioCodec: 'opus', camera: null, screen: null };
  return { at: 0, rtt, available: null, buffer: 30, in: flow, out: { ...flow, loss: out } };
}

test('bars: the worst of round-trip time, loss and jitter decides', () => {
  assert.equal(barsOf(sample({})), 4);
  assert.equal(barsOf(sample({ rtt: 151 })), 3);
  assert.equal(barsOf(sample({ loss: 3.1 })), 2);
  assert.equal(barsOf(sample({ out: 19 })), 1);
  assert.equal(barsOf(sample({ jitter: 201 })), 0);
  assert.equal(barsOf(sample({ rtt: 5000, loss: 90 })), 0);
  assert.equal(barsOf(sample({ rtt: null, loss: null, out: null })), null);
});

test('bars fall on the second bad sample and rise on the fourth good one', () => {
  const quality = new Quality();
  /** @param {number} rtt @param {number} times */
  const see = (rtt, times) => Array.from({ length: times }, () => quality.observe(sample({ rtt }))).at(-1);
  assert.equal(see(20, 4), 4);
  assert.equal(see(700, 1), 4, 'one outlier is none');
  assert.equal(see(20, 3), 4);
  assert.equal(see(700, 2), 1);
  assert.equal(see(20, 3), 1, 'not yet');
  assert.equal(see(20, 1), 4);
});

test('the history of a long call is bounded, whole in the last hour and thinner before', () => {
  const history = new History();
  for (let at = 0; at < 20_000; at += 1) history.add({ ...sample({}), at });
  const { samples } = history;
  assert.ok(samples.length <= 3601, `${samples.length}`);
  assert.equal(samples.at(-1)?.at, 19_999);
  assert.equal(samples.at(-1800)?.at, 19_999 - 1799);
  assert.ok((samples[0]?.at ?? 99) < 10, 'it begins where the call began');
  assert.deepEqual(samples.map((s) => s.at), samples.map((s) => s.at).toSorted((a, b) => a - b));
});

const line = (type = 'host', address = '192.168.1.5', port = 5000, rest = '') => `candidate:1 1 udp 2122194687 ${address} ${port} typ ${type} ${rest}`.trim();
/** @param {Partial<import('../../../../crates/talkie-server/web/app/stats/reasons.js').Seen>} seen */
const codes = (seen) => reasonsHere({ relayOnly: false, transport: null, local: [], errors: [], gathered: true, ...seen }).map((reason) => reason.code);
/** @param {string[]} lines @param {string} [relayProtocol] */
const found = (lines, relayProtocol) => lines.map((text) => ({ .../** @type {any} */ (candidateOf(text)), ...(text.includes('relay') && { relayProtocol: relayProtocol ?? null }) }));

test('a candidate is read from its line, and nonsense is none', () => {
  assert.deepEqual(candidateOf(line('srflx', '203.0.113.7', 40000, 'raddr 192.168.1.5 rport 5000')), {
    type: 'srflx', protocol: 'udp', address: '203.0.113.7', port: 40000, related: '192.168.1.5 5000', relayProtocol: null, url: null,
  });
  for (const bad of [null, 7, '', 'candidate:', 'candidate:1 1 udp 1 a 2 typ evil', 'x'.repeat(2000)]) assert.equal(candidateOf(bad), null);
});

test('why a call is relayed follows from what was gathered', () => {
  const relay = line('relay', '198.51.100.1', 50000);
  assert.deepEqual(codes({ relayOnly: true }), ['policy']);
  assert.deepEqual(codes({ local: found([line(), relay], 'tcp') }), ['no-udp']);
  assert.deepEqual(codes({ local: found([line(), relay], 'udp') }), ['no-reflexive']);
  assert.deepEqual(codes({ local: found([line('host', '203.0.113.9'), relay], 'udp') }), [], 'a public address needs no reflexive one');
  const seen = (/** @type {number} */ port) => line('srflx', '203.0.113.7', port, 'raddr 0.0.0.0 rport 0');
  assert.deepEqual(codes({ local: found([line(), seen(40000), seen(40001), relay], 'udp') }), ['symmetric']);
  assert.deepEqual(codes({ local: found([line(), line('host', '10.0.0.2'), seen(40000), seen(40001), relay], 'udp') }), [], 'two sockets may well have two ports');
  assert.deepEqual(codes({ errors: [{ code: 401, url: '', text: '' }], gathered: false }), ['refused']);
  assert.deepEqual(codes({ local: found([line()]), errors: [{ code: 701, url: '', text: '' }] }), ['no-reflexive', 'unreachable']);
});

test('reasons are given for a relay only, and it is said when there are none', () => {
  const relayed = { kind: /** @type {const} */ ('relay'), via: null, rtt: null };
  const here = [{ code: /** @type {const} */ ('policy'), sure: true }];
  assert.deepEqual(explain({ ...relayed, kind: 'direct' }, here, ['symmetric']), { ours: [], theirs: [], unexplained: false, theirsUnknown: false });
  assert.equal(explain(relayed, [], []).unexplained, true);
  assert.equal(explain(relayed, [], null).theirsUnknown, true);
  assert.deepEqual(explain(relayed, here, ['symmetric']).theirs, ['symmetric']);
});

test('the export holds samples, pairs and events, and addresses only when asked for', () => {
  const [trace, history] = [new Trace(), new History()];
  trace.heard(line('srflx', '203.0.113.77'));
  trace.failed(/** @type {any} */ ({ errorCode: 701, url: 'turn:203.0.113.78:3478?transport=tcp', errorText: 'to 203.0.113.79' }));
  trace.note('ice-restart');
  const pair = dump('chromium-2').pair;
  if (pair) history.pair(1, pair);
  history.add(sample({}));
  const record = /** @type {any} */ ({ key: 'p1', trace, history });
  const how = { now: 0, userAgent: 'test' };
  const without = JSON.stringify(exported([record], { ...how, addresses: false }));
  assert.doesNotMatch(without, /203\.0\.113|198\.51\.100/);
  assert.match(JSON.stringify(exported([record], { ...how, addresses: true })), /203\.0\.113\.77.*203\.0\.113\.78/);
  const parsed = JSON.parse(without);
  assert.equal(parsed.version, 1);
  assert.deepEqual([parsed.peers[0].samples.length, parsed.peers[0].pairs.length, parsed.peers[0].events[0].what], [1, 1, 'ice-restart']);
  assert.deepEqual(parsed.peers[0].gatheringErrors, [{ code: 701, server: 'turn:', transport: 'tcp' }]);
});
