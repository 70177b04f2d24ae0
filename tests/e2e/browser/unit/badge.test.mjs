import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreed, classify, isLocalAddress, readPath } from '../../../../crates/talkie-server/web/app/peer/badge.js';
import { relayTransport, rtcConfiguration, usableServers } from '../../../../crates/talkie-server/web/app/session/ice-servers.js';

const host = { candidateType: 'host' };
const srflx = { candidateType: 'srflx' };
const relay = { candidateType: 'relay' };
/** @param {string} [address] */
const prflx = (address) => ({ candidateType: 'prflx', address });

test('two hosts are direct, anything reflexive is through NAT', () => {
  assert.equal(classify(host, host).kind, 'direct');
  assert.equal(classify(srflx, host).kind, 'nat');
  assert.equal(classify(host, srflx).kind, 'nat');
  assert.equal(classify(prflx('203.0.113.7'), host).kind, 'nat');
  assert.equal(classify(host, prflx()).kind, 'nat');
});

test('a reflexive address of one\'s own network is direct: a .local name that was not resolved in time', () => {
  assert.equal(classify(host, prflx('192.168.1.9')).kind, 'direct');
  assert.equal(classify(host, prflx('fe80::1')).kind, 'direct');
});

test('a relay at either end is a relay; the leg is known only of one\'s own', () => {
  assert.deepEqual(classify({ ...relay, relayProtocol: 'tcp' }, srflx), { kind: 'relay', via: 'tcp' });
  assert.deepEqual(classify({ ...relay, url: 'turns:host:5349?transport=tcp' }, host), { kind: 'relay', via: 'tls' });
  assert.deepEqual(classify({ ...relay, url: 'turn:host:3478?transport=tcp' }, host), { kind: 'relay', via: 'tcp' });
  assert.deepEqual(classify(relay, host), { kind: 'relay', via: null });
  assert.deepEqual(classify(host, { ...relay, relayProtocol: 'udp' }), { kind: 'relay', via: null });
});

test('private, loopback and link-local addresses are told from public ones', () => {
  for (const address of ['10.0.0.1', '172.16.0.1', '172.31.9.9', '192.168.0.1', '169.254.1.1', '127.0.0.1', '::1', 'fd00::1', 'fe80::1', '::ffff:10.0.0.1', '[::1]']) assert.ok(isLocalAddress(address), address);
  for (const address of ['', '172.32.0.1', '11.0.0.1', '192.169.0.1', '2001:db8::1', 'fec0::1', '203.0.113.1']) assert.ok(!isLocalAddress(address), address);
});

test('the selected pair is found where Chromium and where Firefox report it', () => {
  const candidates = [{ id: 'l', type: 'local-candidate', ...host }, { id: 'r', type: 'remote-candidate', ...host }, { id: 'x', type: 'remote-candidate', ...srflx }];
  const pair = { type: 'candidate-pair', state: 'succeeded', localCandidateId: 'l', remoteCandidateId: 'r', currentRoundTripTime: 0.02 };
  const other = { id: 'o', type: 'candidate-pair', state: 'succeeded', nominated: true, localCandidateId: 'l', remoteCandidateId: 'x' };
  const chromium = [...candidates, { ...other }, { ...pair, id: 'p' }, { id: 't', type: 'transport', selectedCandidatePairId: 'p' }];
  assert.deepEqual(readPath(chromium), { kind: 'direct', via: null, rtt: 0.02 });
  assert.deepEqual(readPath([...candidates, { ...other }, { ...pair, id: 'p', selected: true }]), { kind: 'direct', via: null, rtt: 0.02 });
  assert.equal(readPath(candidates), null);
  assert.equal(readPath([{ ...pair, id: 'p', selected: true }]), null);
});

test('when the ends differ, the longer way is the true one', () => {
  const direct = { kind: /** @type {const} */ ('direct'), via: null, rtt: 0.01 };
  assert.equal(agreed(direct, { kind: 'relay', via: 'tcp' })?.kind, 'relay');
  assert.equal(agreed(direct, { kind: 'nat', via: null })?.kind, 'nat');
  assert.equal(agreed(direct, null)?.kind, 'direct');
  assert.equal(agreed({ ...direct, kind: 'relay', via: 'udp' }, { kind: 'direct', via: null })?.via, 'udp');
  assert.equal(agreed(null, { kind: 'relay', via: null }), null);
});

test('?transport keeps one leg of TURN and leaves STUN alone', () => {
  const servers = [
    { urls: ['stun:h:3478'] },
    { urls: ['turn:h:3478', 'turn:h:3478?transport=udp', 'turn:h:3478?transport=tcp', 'turns:h:5349?transport=tcp'], username: 'u', credential: 'c' },
    { urls: 'turns:h:443?transport=tcp', username: 'u', credential: 'c' },
  ];
  /** @param {any} transport */
  const urls = (transport) => usableServers(servers, { transport }).flatMap((server) => server.urls);
  assert.equal(urls(null).length, 6);
  assert.deepEqual(urls('udp'), ['stun:h:3478', 'turn:h:3478', 'turn:h:3478?transport=udp']);
  assert.deepEqual(urls('tcp'), ['stun:h:3478', 'turn:h:3478?transport=tcp']);
  assert.deepEqual(urls('tls'), ['stun:h:3478', 'turns:h:5349?transport=tcp', 'turns:h:443?transport=tcp']);
  assert.equal(usableServers(servers, { transport: 'tls' })[1]?.credential, 'c');
  assert.deepEqual(usableServers('nonsense', { transport: null }), []);
  assert.deepEqual(usableServers([null, { urls: 7 }, {}], { transport: null }), []);
  assert.equal(relayTransport('TURNS:h'), 'tls');
  assert.equal(rtcConfiguration([], { relay: true }).iceTransportPolicy, 'relay');
});
