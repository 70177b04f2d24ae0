import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUrl } from '../../../../crates/talkie-server/web/app/pages/check/servers.js';
import { verdict } from '../../../../crates/talkie-server/web/app/pages/check/verdict.js';
import en from '../../../../crates/talkie-server/web/app/strings/en/check.js';
import zh from '../../../../crates/talkie-server/web/app/strings/zh/check.js';

const URLS = { stun: 'stun:talkie.example:3478', udp: 'turn:talkie.example:3478?transport=udp', tcp: 'turn:talkie.example:3478?transport=tcp', tls: 'turns:talkie.example:443?transport=tcp' };
/** @param {Record<string, any>} outcomes @returns {any[]} */
const legs = (outcomes) => Object.entries(outcomes).map(([leg, outcome]) => ({ server: readUrl(URLS[/** @type {keyof typeof URLS} */ (leg)]), outcome, code: outcome === 'credentials' ? 401 : null, ms: 10 }));
/** @param {string} type @param {string} address @param {number} port @param {string|null} [relatedAddress] @param {number|null} [relatedPort] */
const candidate = (type, address, port, relatedAddress = null, relatedPort = null) => ({ type, protocol: 'udp', address, port, relatedAddress, relatedPort });
const host = candidate('host', '10.0.0.5', 5000);
const srflx = candidate('srflx', '203.0.113.7', 6000, '10.0.0.5', 5000);
/** @param {any} more */
const judged = (more) => verdict({ online: true, secure: true, signaling: true, done: true, page: 'talkie.example', legs: [], candidates: [host], mapping: null, ...more });

/** @type {[string, any, string][]} */
const HEADLINES = [
  ['offline', { online: false }, 'offline'],
  ['still at it', { done: false }, 'checking'],
  ['a leg not known yet', { legs: legs({ udp: 'works', tcp: null }) }, 'checking'],
  ['no WebSocket', { signaling: false }, 'noSignaling'],
  ['all works', { legs: legs({ stun: 'works', udp: 'works', tcp: 'works', tls: 'works' }) }, 'allWorks'],
  ['Firefox by address', { legs: legs({ udp: 'works', tcp: 'works', tls: 'needsName' }) }, 'udpWorks'],
  ['UDP swallowed', { legs: legs({ stun: 'silent', udp: 'silent', tcp: 'works', tls: 'works' }) }, 'udpBlocked'],
  ['only TLS gets through', { legs: legs({ udp: 'silent', tcp: 'closed', tls: 'works' }) }, 'udpBlocked'],
  ['UDP answered with a refusal', { legs: legs({ udp: 'credentials', tcp: 'works' }) }, 'udpRefused'],
  ['UDP not tried', { legs: legs({ udp: 'blockedPort', tcp: 'works' }) }, 'udpImpossible'],
  ['no relay over UDP configured', { legs: legs({ tls: 'works' }) }, 'relayOver'],
  ['wrong credentials everywhere', { legs: legs({ udp: 'credentials', tcp: 'credentials', tls: 'credentials' }) }, 'credentials'],
  ['wrong credentials, TLS untrusted', { legs: legs({ udp: 'credentials', tls: 'closed' }) }, 'credentials'],
  ['quota', { legs: legs({ udp: 'busy', tcp: 'busy' }) }, 'busy'],
  ['forbidden', { legs: legs({ udp: 'denied' }) }, 'denied'],
  ['Firefox on localhost', { legs: legs({ udp: 'loopback', tcp: 'loopback', tls: 'needsName' }) }, 'notHere'],
  ['relay unreachable, STUN elsewhere works', { legs: legs({ udp: 'silent', tcp: 'silent' }), candidates: [host, srflx] }, 'directOnly'],
  ['nothing reachable', { legs: legs({ stun: 'silent', udp: 'silent', tcp: 'closed' }) }, 'localOnly'],
  ['STUN only', { legs: legs({ stun: 'works' }), candidates: [host, srflx] }, 'stunOnly'],
  ['no servers at all', { candidates: [host] }, 'hostOnly'],
  ['no candidate either', { candidates: [] }, 'nothing'],
];
for (const [what, observed, code] of HEADLINES) {
  test(`verdict: ${what}`, () => {
    const { headline, findings } = judged(observed);
    assert.equal(headline.code, code);
    for (const words of [en, zh]) {
      for (const [sentences, one] of [[words.headlines, headline], ...findings.map((finding) => [words.findings, finding])]) {
        const say = /** @type {any} */ (sentences)[/** @type {any} */ (one).code];
        assert.equal(typeof say, 'function', /** @type {any} */ (one).code);
        assert.doesNotMatch(say(.../** @type {any} */ (one).values), /undefined/);
      }
    }
  });
}

test('blocked UDP is said in one sentence with what to ask for', () => {
  const { headline } = judged({ legs: legs({ udp: 'silent', tcp: 'works', tls: 'works' }) });
  assert.equal(en.headlines.udpBlocked(.../** @type {[string, string, string]} */ (headline.values)),
    'TURN over TCP, TLS works; UDP is blocked. Calls will be relayed over TCP, TLS, which is slower and stutters more. Ask your network’s administrator to allow UDP port 3478 to talkie.example.');
});

/** @param {any} observed */
const codes = (observed) => judged(observed).findings.map(({ code }) => code);

test('every leg that fails is explained once', () => {
  assert.deepEqual(codes({ legs: legs({ udp: 'works', tcp: 'closed', tls: 'certificate' }) }).filter((code) => code.startsWith('leg:')), ['leg:closed', 'leg:certificate']);
  assert.ok(!codes({ legs: legs({ udp: 'silent', tcp: 'works' }) }).includes('leg:silent'));
});

/** @type {[string, any, string][]} */
const FINDINGS = [
  ['no https', { secure: false }, 'insecure'],
  ['localhost', { page: 'localhost' }, 'loopbackPage'],
  ['hidden addresses', { candidates: [candidate('host', 'x.local', 1)] }, 'mdns'],
  ['no address of one\'s own', { candidates: [srflx] }, 'noHosts'],
  ['IPv6', { candidates: [host, candidate('host', '2001:db8::1', 2)] }, 'ipv6'],
  ['IPv6 inside', { candidates: [host, candidate('host', 'fd00::1', 2)] }, 'ipv6Local'],
  ['no IPv6', { candidates: [host] }, 'noIpv6'],
  ['a carrier\'s NAT', { candidates: [host, candidate('srflx', '100.70.1.2', 9, '10.0.0.5', 5000)] }, 'carrier'],
  ['the server inside', { candidates: [host, candidate('srflx', '192.168.1.9', 9, '10.0.0.5', 5000)] }, 'serverInside'],
  ['a VPN beside the network', { candidates: [host, srflx, candidate('srflx', '192.0.2.44', 9, '10.8.0.2', 7000)] }, 'exits'],
  ['a NAT of which one server cannot tell the kind', { candidates: [host, srflx] }, 'natUnknown'],
  ['only loopback', { candidates: [candidate('host', '127.0.0.1', 9)] }, 'onlyLoopback'],
  ['no NAT at all', { mapping: { kind: 'none', port: 0 } }, 'natNone'],
  ['a NAT that keeps its ports', { candidates: [host, srflx], mapping: { kind: 'steady', port: 0 } }, 'natSteady'],
  ['a NAT that maps by address', { candidates: [host, srflx], mapping: { kind: 'byAddress', port: 0 } }, 'natByAddress'],
  ['a NAT that maps by port', { candidates: [host, srflx], mapping: { kind: 'changing', port: 0 } }, 'natSymmetric'],
  ['no UDP to judge by', { mapping: { kind: 'blocked', port: 0 } }, 'natHidden'],
  ['a second port behind a firewall', { candidates: [host, srflx], mapping: { kind: 'unanswered', port: 3479 } }, 'natUnanswered'],
  ['a symmetric NAT', { candidates: [host, srflx, candidate('srflx', '203.0.113.7', 6001, '10.0.0.5', 5000)] }, 'natSymmetric'],
];
for (const [what, observed, code] of FINDINGS) {
  test(`remark: ${what}`, () => {
    assert.ok(codes(observed).includes(code), String(codes(observed)));
    assert.ok(!codes({ candidates: [candidate('host', '203.0.113.5', 1), candidate('host', '2001:db8::5', 1)] }).includes(code) || code === 'ipv6');
  });
}

test('the server’s own ports are believed before what other candidates seem to say', () => {
  const twice = [host, srflx, { ...srflx, port: 6001 }];
  assert.ok(codes({ candidates: twice, mapping: { kind: 'steady', port: 0 } }).includes('natSteady'));
  assert.ok(!codes({ candidates: twice, mapping: { kind: 'steady', port: 0 } }).includes('natSymmetric'));
});

test('the sentences on NATs name the port that did not answer', () => {
  assert.match(en.findings.natUnanswered('3479'), /port 3479/);
  assert.match(zh.findings.natUnanswered('3479'), /3479/);
});
