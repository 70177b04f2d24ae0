import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeMapping, mappingOf } from '../../../../crates/talkie-server/web/app/pages/check/mapping.js';
import { discoveryUrls } from '../../../../crates/talkie-server/web/app/pages/servers.js';

/** @import {Outcome} from '../../../../crates/talkie-server/web/app/pages/check/leg.js' */

/** @param {string} type @param {string} address @param {number} port @param {string|null} [relatedAddress] @param {number|null} [relatedPort] */
const candidate = (type, address, port, relatedAddress = null, relatedPort = null) => ({ type, protocol: 'udp', address, port, relatedAddress, relatedPort });
const host = candidate('host', '10.0.0.5', 5000);
const srflx = candidate('srflx', '203.0.113.7', 6000, '10.0.0.5', 5000);
/** What Chromium shows before the page may use a microphone: one socket for each IP version. */
const hidden = [candidate('host', 'a.local', 5000), candidate('host', 'b.local', 5001)];
const bare = { ...srflx, relatedAddress: '0.0.0.0', relatedPort: 0 };

/** @param {(Outcome|null)[]} outcomes of both ports, and of a second address */
const ports = (...outcomes) => outcomes.map((outcome, index) => ({ host: index < 2 ? 'talkie.example' : '203.0.113.99', port: [3478, 3479, 3478][index] ?? 0, outcome }));
const both = ports('works', 'works');
const three = ports('works', 'works', 'works');

/** @type {[string, {candidates: typeof host[], alone?: ReturnType<typeof ports>, complete?: boolean}, string|null][]} */
const CASES = [
  ['one mapping for both ports', { candidates: [host, srflx] }, 'steady'],
  ['a mapping for each port', { candidates: [host, srflx, { ...srflx, port: 6001 }] }, 'changing'],
  ['one mapping for both ports and both addresses', { candidates: [host, srflx], alone: three }, 'steady'],
  ['a mapping for each address', { candidates: [host, srflx, { ...srflx, port: 6001 }], alone: three }, 'byAddress'],
  ['a mapping for each of three', { candidates: [host, srflx, { ...srflx, port: 6001 }, { ...srflx, port: 6002 }], alone: three }, 'changing'],
  ['another address of a pool is another mapping', { candidates: [host, srflx, { ...srflx, address: '203.0.113.8' }] }, 'changing'],
  ['two sockets with a port each', { candidates: [host, { ...host, port: 5001 }, srflx, { ...srflx, port: 6001, relatedPort: 5001 }] }, 'steady'],
  ['hidden addresses, one mapping', { candidates: [...hidden, bare] }, 'steady'],
  ['hidden addresses, IPv4 and IPv6', { candidates: [...hidden, bare, { ...bare, address: '2001:db8::7', port: 5001 }] }, 'steady'],
  ['hidden addresses, a mapping for each port', { candidates: [...hidden, bare, { ...bare, port: 6001 }] }, 'changing'],
  ['no NAT', { candidates: [host] }, 'none'],
  ['no NAT, addresses hidden', { candidates: hidden }, 'none'],
  ['UDP is swallowed', { candidates: [host], alone: ports('silent', 'silent') }, 'blocked'],
  ['the second port is behind a firewall', { candidates: [host, srflx], alone: ports('works', 'silent') }, 'unanswered'],
  ['the second address is, but the mappings differ', { candidates: [host, srflx, { ...srflx, port: 6001 }], alone: ports('works', 'works', 'silent') }, 'byAddress'],
  ['still gathering', { candidates: [host, srflx], complete: false }, null],
  ['still gathering, and seen already', { candidates: [host, srflx, { ...srflx, port: 6001 }], complete: false }, 'changing'],
  ['a browser that does not try here', { candidates: [], alone: ports('loopback', 'loopback') }, null],
  ['no candidate at all', { candidates: [] }, null],
  ['a server with one port', { candidates: [host, srflx], alone: both.slice(0, 1) }, null],
];
for (const [what, { candidates, alone = both, complete = true }, kind] of CASES) {
  test(`NAT: ${what}`, () => assert.equal(judgeMapping({ complete, candidates, alone })?.kind ?? null, kind));
}

test('the port that does not answer is named', () => {
  assert.equal(judgeMapping({ complete: true, candidates: [host, srflx], alone: ports('works', 'silent') })?.port, 3479);
});

test('what the server names to ask is believed as far as it is STUN', () => {
  assert.deepEqual(discoveryUrls(['stun:a:3478', 'stun:a:3479', 'turn:a', 7, null]), ['stun:a:3478', 'stun:a:3479']);
  assert.equal(discoveryUrls(new Array(99).fill('stun:a')).length, 4);
  for (const wrong of [undefined, null, 'stun:a', {}, 7]) assert.deepEqual(discoveryUrls(wrong), []);
});

test('the mapping of a NAT is told only where it can be', () => {
  assert.equal(mappingOf([host, srflx]), null);
  assert.equal(mappingOf([host, srflx, { ...srflx }]), 'steady');
  assert.equal(mappingOf([host, srflx, { ...srflx, port: 6001 }]), 'changing');
  // Two sockets have two ports anyway.
  assert.equal(mappingOf([host, { ...host, port: 5001 }, srflx, { ...srflx, port: 6001, relatedPort: 5001 }]), 'steady');
  // The base is hidden: one socket can only be itself, of two nobody knows which.
  const hidden = { ...srflx, relatedAddress: '0.0.0.0', relatedPort: 0 };
  assert.equal(mappingOf([host, hidden, { ...hidden, port: 6001 }]), 'changing');
  assert.equal(mappingOf([host, { ...host, port: 5001 }, hidden, { ...hidden, port: 6001 }]), null);
});
