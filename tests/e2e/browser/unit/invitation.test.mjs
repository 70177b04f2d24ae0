// The link that is handed to others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkCaution, linkForOthers, readInvitation } from '../../../../crates/talkie-server/web/app/session/invitation.js';

const LAN = 'https://192.0.2.5:8443';

test('the link carries the origin that the server names, or the page\'s own', () => {
  const room = { room: 'calm-otter-bridge', key: 'abc' };
  const own = 'http://localhost:8080';
  assert.equal(linkForOthers({ ...room, invitation: readInvitation({ origin: LAN }) }, own), `${LAN}/r/calm-otter-bridge#abc`);
  assert.equal(linkForOthers({ ...room, key: null, invitation: readInvitation({}) }, own), `${own}/r/calm-otter-bridge`);
  assert.equal(linkForOthers({ ...room, invitation: null }, own), `${own}/r/calm-otter-bridge#abc`);
});

test('only an origin of https is taken for one', () => {
  for (const origin of [undefined, null, 7, '', 'http://192.0.2.5', 'javascript:alert(1)', `${LAN}/`, `${LAN}/r/x`, 'https://', 'https://a@b']) {
    assert.equal(readInvitation({ origin }).origin, null, String(origin));
  }
});

test('a link that leads nobody here is told from one that meets a warning', () => {
  const here = readInvitation({});
  for (const host of ['localhost', 'talkie.localhost', '127.0.0.1', '127.8.9.1', '[::1]']) {
    assert.equal(linkCaution(here, host), 'onlyHere', host);
    assert.equal(linkCaution(readInvitation({ origin: LAN }), host), null, host);
    assert.equal(linkCaution(readInvitation({ origin: LAN, selfSigned: true }), host), 'selfSigned', host);
    assert.equal(linkCaution(null, host), null, host);
  }
  for (const host of ['talk.example', '192.0.2.5', 'localhost.example', '[2001:db8::1]']) {
    assert.equal(linkCaution(here, host), null, host);
    assert.equal(linkCaution(readInvitation({ selfSigned: true }), host), 'selfSigned', host);
  }
});
