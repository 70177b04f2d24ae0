// Whose connection is whose, when one side was away for so long that the other gave it up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Roster } from '../../../../crates/talkie-server/web/app/session/roster.js';

/** Connects to nothing; the roster only decides when there is to be one. */
class NoConnection {
  connectionState = 'new';
  signalingState = 'stable';
  addTransceiver() {
    return { sender: {}, receiver: { track: {} } };
  }

  createDataChannel() {
    return {};
  }

  setConfiguration() {}
  close() {}
}
Object.assign(globalThis, { RTCPeerConnection: NoConnection, MediaStream: class {} });

/** @param {string} self @param {{id: string, name: string, trusted: boolean}[]} peers */
function roster(self, ...peers) {
  const nothing = () => {};
  const context = /** @type {any} */ ({
    config: () => ({}), canSignal: () => true, signal: nothing, streams: {}, tracks: new Map(), direction: () => 'sendrecv',
    events: { phase: nothing, control: nothing, slots: nothing, negotiated: nothing, flooded: nothing, message: nothing, media: nothing, channel: nothing },
  });
  const made = new Roster(context, { added: nothing, removed: nothing, renamed: nothing, tampered: nothing });
  made.joined(self, peers);
  return made;
}

/** @param {string} id */
const peer = (id) => ({ id, name: 'Grace', trusted: true });

for (const leftOver of [{ restart: true }, { negotiate: true }, { again: true, description: { type: 'offer', sdp: '' } }]) {
  test(`who comes back with a connection that we gave up is called: ${Object.keys(leftOver)[0]}`, () => {
    const ada = roster('ada');
    ada.came(peer('grace-2'));
    assert.equal(ada.links[0]?.pc, null);
    ada.signal('grace-2', { link: 'old', ...leftOver });
    assert.equal(ada.links.length, 1);
    assert.equal(ada.links[0]?.polite, true);
    assert.notEqual(ada.links[0]?.pc, null);
    // Said once more it changes nothing: that would be a new connection for every message.
    const [link] = ada.links;
    ada.signal('grace-2', { link: 'old', ...leftOver, description: undefined });
    assert.equal(ada.links[0], link);
    ada.clear();
  });
}

test('candidates alone call nobody', () => {
  const ada = roster('ada');
  ada.came(peer('grace'));
  ada.signal('grace', { link: 'new', candidates: [{ candidate: '' }] });
  assert.equal(ada.links[0]?.pc, null);
  ada.clear();
});

test('the one who holds on takes the new call', () => {
  const grace = roster('grace-2', peer('ada'));
  const [old] = grace.links;
  grace.signal('ada', { link: 'new', description: { type: 'offer', sdp: '' } });
  assert.equal(grace.links.length, 1);
  assert.notEqual(grace.links[0], old);
  assert.equal(grace.links[0]?.polite, false);
  assert.equal(old?.closed, true);
  grace.clear();
});

test('a connection beyond repair is replaced by the side that offers, and its failures are not forgotten', () => {
  const grace = roster('grace', peer('ada'));
  const [old] = grace.links;
  assert.ok(old);
  grace.replace(old);
  assert.equal(grace.links.length, 1);
  const [link] = grace.links;
  assert.notEqual(link, old);
  assert.equal(old.closed, true);
  assert.equal(link?.polite, true);
  assert.notEqual(link?.tag, old.tag);
  assert.equal(link?.policy.attempts, old.policy.attempts);
  // What the other side still says of the old connection does not concern the new one.
  grace.signal('ada', { link: old.tag, restart: true, anew: true });
  assert.equal(grace.links[0], link);
  grace.replace(old);
  assert.equal(grace.links[0], link);
  grace.clear();
});
