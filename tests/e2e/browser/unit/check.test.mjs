import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKind } from '../../../../crates/talkie-server/web/app/pages/candidate.js';
import { judge } from '../../../../crates/talkie-server/web/app/pages/check/leg.js';
import { inbound, lossShare, megabits, trips } from '../../../../crates/talkie-server/web/app/pages/check/meter.js';
import { asText, report } from '../../../../crates/talkie-server/web/app/pages/check/report.js';
import { eachUrl, iceServer, readForm, readUrl, serverOf } from '../../../../crates/talkie-server/web/app/pages/check/servers.js';

test('ICE URLs as RFC 7064 and 7065 have them, and nothing else', () => {
  /** @type {[string, [string, string, number]|null][]} */
  const table = [
    ['stun:a.example', ['stun', 'a.example', 3478]],
    ['stun:198.51.100.1:19302', ['stun', '198.51.100.1', 19302]],
    ['turn:a.example', ['udp', 'a.example', 3478]],
    ['turn:a.example?transport=tcp', ['tcp', 'a.example', 3478]],
    ['turns:a.example', ['tls', 'a.example', 5349]],
    ['turns:[2001:db8::1]:443?transport=tcp', ['tls', '2001:db8::1', 443]],
    [' turn:a.example:1 ', ['udp', 'a.example', 1]],
    ['http://a.example', null], ['turn:', null], ['turn:a b', null], ['turn:a.example:0', null], ['turn:a.example:65536', null],
    ['turn://a.example', null], ['turn:user@a.example', null], ['turn:a.example?transport=sctp', null], ['turns:a.example?transport=udp', null],
    ['stun:a.example?transport=tcp', null], ['', null], [`turn:${'a'.repeat(2000)}`, null],
  ];
  for (const [text, expected] of table) {
    const read = readUrl(text);
    assert.deepEqual(read && [read.leg, read.host, read.port], expected, text);
  }
});

test('the form tells what is missing', () => {
  const url = 'turn:a.example';
  assert.deepEqual(readForm({ url: 'nonsense', username: '', credential: '' }), { fault: 'badUrl' });
  assert.deepEqual(readForm({ url, username: 'u', credential: '' }), { fault: 'noCredentials' });
  assert.deepEqual(readForm({ url, username: 'u'.repeat(2000), credential: 'p' }), { fault: 'tooLong' });
  assert.ok('server' in readForm({ url: 'stun:a.example', username: '', credential: '' }));
});

test('each URL of what signaling hands out stands alone', () => {
  const servers = eachUrl([{ urls: ['stun:a.example:3478'] }, { urls: ['turn:a.example', 'turns:a.example:443', 7, 'bad'], username: 'u', credential: 'p' }, null, 5]);
  assert.deepEqual(servers.map(({ leg }) => leg), ['stun', 'udp', 'tls']);
  assert.deepEqual(iceServer(/** @type {any} */ (servers[1])), { urls: 'turn:a.example', username: 'u', credential: 'p' });
  assert.deepEqual(eachUrl('x'), []);
});

const udp = readUrl('turn:198.51.100.10:3478?transport=udp') ?? assert.fail();
const tcp = readUrl('turn:198.51.100.10:3478?transport=tcp') ?? assert.fail();
const tls = readUrl('turns:198.51.100.10:8443?transport=tcp') ?? assert.fail();
const named = readUrl('turns:talkie.example:8443?transport=tcp') ?? assert.fail();
const chromium = { firefox: false, selfSigned: false };
const firefox = { firefox: true, selfSigned: false };
/** @param {number} code @param {string} text @param {number} ms */
const error = (code, text, ms) => ({ code, text, ms });
const TIMED_OUT = 'TURN allocate request timed out.';
const NOT_ESTABLISHED = 'Failed to establish connection';

test('a candidate names its server where the browser does not, if only one can be', () => {
  const stun = readUrl('stun:198.51.100.10:3478') ?? assert.fail();
  const relay = { type: 'relay', relayProtocol: '', url: '' };
  const reflexive = { type: 'srflx', relayProtocol: '', url: '' };
  assert.equal(serverOf({ ...relay, url: 'turn:told' }, [udp]), 'turn:told');
  assert.equal(serverOf({ ...relay, type: 'host' }, [udp]), '');
  assert.equal(serverOf(relay, [stun, tls]), tls.url);
  assert.equal(serverOf(relay, [udp, tcp]), null);
  assert.equal(serverOf({ ...relay, relayProtocol: 'tcp' }, [udp, tcp]), tcp.url);
  assert.equal(serverOf(reflexive, [stun, tcp, tls]), stun.url);
  assert.equal(serverOf(reflexive, [stun, udp]), null);
});

/** What Chromium 156 and Firefox 153 were seen to report against this project's relay. @type {[string, any, any, any, string][]} */
const HEARD = [
  ['a relay candidate', udp, { candidate: true }, chromium, 'works'],
  ['a candidate after an error for IPv6', named, { candidate: true, errors: [error(701, '', 77)] }, firefox, 'works'],
  ['Chromium: wrong password', udp, { errors: [error(401, 'Unauthorized.', 114)] }, chromium, 'credentials'],
  ['Firefox: wrong password over TLS, IPv6 missing', named, { errors: [error(701, '', 39), error(401, '', 50)] }, firefox, 'credentials'],
  ['quota', udp, { errors: [error(486, '', 50)] }, chromium, 'busy'],
  ['no capacity', udp, { errors: [error(508, '', 50)] }, chromium, 'busy'],
  ['forbidden', udp, { errors: [error(403, '', 50)] }, chromium, 'denied'],
  ['Chromium: nobody listens on TCP', tcp, { errors: [error(701, NOT_ESTABLISHED, 74)] }, chromium, 'closed'],
  ['Firefox: nobody listens on TCP', tcp, { errors: [error(701, '', 35)] }, firefox, 'closed'],
  ['Chromium: TLS is not trusted, and known to be self-signed', tls, { errors: [error(701, NOT_ESTABLISHED, 93)] }, { firefox: false, selfSigned: true }, 'certificate'],
  ['Chromium: TLS fails, nobody knows why', tls, { errors: [error(701, NOT_ESTABLISHED, 93)] }, chromium, 'closed'],
  ['Chromium: no answer over TCP', tcp, { complete: false, ms: 12_000 }, chromium, 'silent'],
  ['Chromium: no answer over UDP', udp, { complete: false, ms: 12_000, errors: [error(701, TIMED_OUT, 11_000)] }, chromium, 'silent'],
  ['Firefox: no answer over UDP', udp, { ms: 11_126, errors: [error(701, '', 11_126)] }, firefox, 'silent'],
  ['Chromium: unknown name', readUrl('turn:nobody.invalid'), { errors: [error(701, 'TURN host lookup received error.', 7678)] }, chromium, 'name'],
  ['Firefox: unknown name', readUrl('turn:nobody.invalid'), { errors: [error(701, '', 20)] }, firefox, 'name'],
  ['Firefox: TLS by address', tls, { ms: 27 }, firefox, 'needsName'],
  ['Firefox: this very machine', readUrl('turn:127.0.0.1'), { errors: [error(701, '', 7)] }, firefox, 'loopback'],
  ['Firefox: a forbidden port', udp, { thrown: "SyntaxError: PeerConnectionImpl.setConfiguration: 'turn:x:9' uses a port that is blocked" }, firefox, 'blockedPort'],
  ['a URL that the browser refuses', udp, { thrown: 'SyntaxError: Failed to construct' }, chromium, 'invalid'],
  ['Chromium: a forbidden port', tcp, { ms: 164 }, chromium, 'nothing'],
];
for (const [what, server, heard, here, outcome] of HEARD) {
  test(`one server: ${what}`, () => {
    assert.equal(judge(server, { candidate: false, errors: [], thrown: null, complete: true, ms: 100, ...heard }, here).outcome, outcome);
  });
}

test('kinds of addresses', () => {
  const table = { '127.0.0.1': 'loopback', '::1': 'loopback', '10.1.2.3': 'private', 'fd00::1': 'private', 'fe80::1': 'linkLocal', '169.254.1.1': 'linkLocal', '100.64.0.1': 'carrier', '100.128.0.1': 'public', '203.0.113.9': 'public', 'a-b.local': 'mdns', '2001:db8::1': 'public' };
  for (const [address, kind] of Object.entries(table)) assert.equal(addressKind(address), kind, address);
});

test('figures of a measurement', () => {
  assert.deepEqual(trips([{ at: 0, rtt: 3 }, { at: 1, rtt: 1 }], 3), { count: 3, lost: 1, min: 1, median: 2, p95: 2.9, max: 3 });
  assert.equal(trips([], 3), null);
  assert.equal(megabits(1_000_000, 1000), 8);
  assert.equal(megabits(5, 0), 0);
  assert.equal(lossShare(1, 3), 25);
  assert.equal(lossShare(0, 0), 0);
  assert.deepEqual(inbound([{ type: 'inbound-rtp', kind: 'audio', packetsReceived: 9, packetsLost: -1, jitter: 0.002 }], 'audio'), { received: 9, lost: 0, jitter: 2, frames: 0 });
  assert.equal(inbound([], 'video'), null);
});

test('a report has no credentials, and addresses only when wished', () => {
  const server = { ...tcp, username: 'user-word', credential: 'secret-word' };
  /** @type {any} */
  const seen = {
    at: 'now', browser: 'b', page: 'https://talkie.example', verdict: 'fine', remarks: [], legs: [{ server, outcome: 'works', code: null, ms: 5 }],
    rows: [{ kind: 'candidate', type: 'host', protocol: 'udp', address: '203.0.113.77', port: 40_404, priority: 1, foundation: '1', ms: 3, relayProtocol: '', url: '' }, { kind: 'error', code: 701, text: '', url: server.url, ms: 4, address: '203.0.113.77:1' }],
    measured: [], devices: { mic: 1 }, features: { share: true }, codecs: [],
  };
  for (const addresses of [false, true]) {
    const made = report(seen, { addresses });
    for (const text of [JSON.stringify(made), asText(made)]) {
      assert.ok(!text.includes('user-word') && !text.includes('secret-word'));
      assert.equal(text.includes('203.0.113.77'), addresses);
      assert.equal(text.includes('40404'), addresses);
      assert.ok(text.includes('turn:198.51.100.10:3478?transport=tcp'));
    }
  }
  assert.match(asText(report(seen, { addresses: false })), /public IPv4/);
});
