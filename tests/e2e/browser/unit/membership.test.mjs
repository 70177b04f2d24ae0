// Members of a sealed room whose sessions are lost at any moment, over a server that does nothing wrong:
// nobody may be told that it did.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Membership } from '../../../../crates/talkie-server/web/app/session/membership.js';
import { createStore, initialState } from '../../../../crates/talkie-server/web/app/state.js';

/** @typedef {{type: string, [field: string]: any}} Message */

const KEY = 'AAECAwQFBgcICQoLDA0ODw';

/** Always the same numbers from 0 to 1 (mulberry32). @param {number} seed */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What docs/signaling.md promises, for one room: in order, once, new ids for each join. */
class HonestServer {
  /** @type {Wire[]} in the order in which they joined */ room = [];
  ids = 0;

  /** @param {Wire} wire @param {Message} message */
  take(wire, { type, seq, card, to, payload }) {
    const inside = this.room.includes(wire);
    const refuse = (/** @type {string} */ code) => wire.hear({ type: 'error', code, about: seq, fatal: false });
    if (type === 'join') {
      if (inside) return refuse('already-in-room');
      wire.id = `id-${++this.ids}`;
      wire.card = card;
      wire.hear({ type: 'joined', self: wire.id, peers: this.room.map((peer) => peer.shown()), locked: false, pass: 'pass' });
      for (const peer of this.room) peer.hear({ type: 'peer-joined', peer: wire.shown() });
      this.room.push(wire);
    } else if (type === 'signal') {
      if (!inside) return refuse('not-in-room');
      const peer = this.room.find((one) => one.id === to);
      if (!peer) return refuse('no-such-peer');
      peer.hear({ type: 'signal', from: wire.id, payload });
    }
  }

  /** @param {Wire} wire */
  lose(wire) {
    if (!this.room.includes(wire)) return;
    this.room = this.room.filter((one) => one !== wire);
    for (const peer of this.room) peer.hear({ type: 'peer-left', peer: wire.id, reason: 'lost' });
  }
}

/** One member's signaling, in place of a socket: two queues that are moved on by the test. */
class Wire {
  /** @type {any} */ handlers = {};
  status = /** @type {const} */ ('open');
  /** @type {Message[]} */ up = [];
  /** @type {Message[]} */ down = [];
  id = '';
  card = '';
  #seq = 0;

  /** @param {HonestServer} server */
  constructor(server) {
    this.server = server;
  }

  /** @param {string} type @param {object} [fields] */
  send(type, fields = {}) {
    const seq = ++this.#seq;
    this.up.push({ type, seq, .../** @type {any} */ (fields) });
    return seq;
  }

  start() {}
  close() {}

  /** @param {Message} message */
  hear(message) {
    this.down.push(message);
  }

  shown() {
    return { id: this.id, name: '', card: this.card };
  }

  /** Another session begins: the old one's messages are nobody's, and the others are told. */
  renew() {
    this.server.lose(this);
    this.up = [];
    this.down = [];
    this.handlers.session({ type: 'welcome' });
  }

  /** @param {boolean} upwards */
  step(upwards) {
    const message = (upwards ? this.up : this.down).shift();
    if (!message) return;
    if (upwards) this.server.take(this, message);
    else this.handlers.message(message);
  }
}

/** @param {HonestServer} server @param {string} name */
function member(server, name) {
  const wire = new Wire(server);
  const store = createStore({ ...initialState(), room: 'calm-otter-bridge', key: KEY, name });
  /** @type {Set<string>} those it knows of, also by ids they had */
  const known = new Set();
  /** @type {string[]} */ const alarms = [];
  /** @type {any[]} */ const heard = [];
  const membership = new Membership(store, /** @type {any} */ (wire), {
    session: () => {},
    iceServers: () => {},
    joined: (_, peers) => peers.forEach((peer) => known.add(peer.id)),
    came: (peer) => known.add(peer.id),
    went: () => {},
    payload: (_, payload) => heard.push(payload),
    tampered: (id) => alarms.push(`${name} was alarmed about ${id}`),
    waiting: () => {},
    knocksAgain: () => {},
    refused: (code) => alarms.push(`${name} was refused: ${code}`),
    status: () => {},
  });
  return { wire, membership, known, alarms, heard };
}

const turn = () => new Promise((resume) => setImmediate(resume));

/** @param {ReturnType<typeof member>[]} members */
async function settle(members) {
  for (let quiet = 0; quiet < 25; quiet += 1) {
    for (const { wire } of members) {
      while (wire.up.length + wire.down.length > 0) {
        quiet = 0;
        wire.step(true);
        wire.step(false);
      }
    }
    await turn();
    // As many as there are threads for it, so that what was begun before is done, however slow the machine.
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => crypto.subtle.digest('SHA-256', new Uint8Array(1))));
  }
}

test('what is said to an old acquaintance before we are in again alarms nobody', async () => {
  const server = new HonestServer();
  const [ada, grace] = [member(server, 'Ada'), member(server, 'Grace')];
  for (const { membership } of [ada, grace]) {
    membership.start({ type: 'welcome' });
    await settle([ada, grace]);
  }
  const [before = ''] = grace.known;
  grace.wire.renew();
  // ICE restarts as soon as signaling is back, and the join is on its way at most.
  for (let n = 0; n < 8; n += 1) {
    grace.membership.signal(before, { n });
    await turn();
  }
  await settle([ada, grace]);
  grace.membership.signal(before, 'in again');
  await settle([ada, grace]);
  assert.deepEqual([...ada.alarms, ...grace.alarms], []);
  assert.equal(ada.heard.at(-1), 'in again');
});

test('an error that is about no request does not make a member join again', async () => {
  const server = new HonestServer();
  const [ada, grace] = [member(server, 'Ada'), member(server, 'Grace')];
  ada.membership.start({ type: 'welcome' });
  await settle([ada]);
  // What the server says once of pings and acknowledgements that come too fast.
  mock.timers.enable({ apis: ['setTimeout'] });
  ada.wire.hear({ type: 'error', code: 'too-fast', fatal: false });
  ada.wire.step(false);
  for (let n = 0; n < 10; n += 1) await turn();
  mock.timers.tick(60_000);
  mock.timers.reset();
  grace.membership.start({ type: 'welcome' });
  await settle([ada, grace]);
  for (const id of grace.known) grace.membership.signal(id, 'hello');
  await settle([ada, grace]);
  assert.deepEqual([...ada.alarms, ...grace.alarms], []);
  assert.deepEqual(ada.heard, ['hello']);
});

test('a payload that the server refuses for haste is no reason for alarm: a new session begins', async () => {
  const server = new HonestServer();
  const [ada, grace] = [member(server, 'Ada'), member(server, 'Grace')];
  for (const { membership } of [ada, grace]) {
    membership.start({ type: 'welcome' });
    await settle([ada, grace]);
  }
  const [to = ''] = grace.known;
  for (const n of [1, 2]) grace.membership.signal(to, { n });
  while (grace.wire.up.length < 2) await turn();
  grace.wire.hear({ type: 'error', code: 'too-fast', about: grace.wire.up.pop()?.seq, fatal: false });
  await settle([ada, grace]);
  grace.membership.signal(ada.wire.id, 'in again');
  await settle([ada, grace]);
  assert.deepEqual([...ada.alarms, ...grace.alarms], []);
  assert.equal(ada.heard.at(-1), 'in again');
});

for (let seed = 1; seed <= 20; seed += 1) {
  test(`three members, any order, sessions lost (seed ${seed})`, async () => {
    const random = numbers(seed);
    const server = new HonestServer();
    const members = ['Ada', 'Grace', 'Joan'].map((name) => member(server, name));
    for (const { membership } of members) {
      membership.start({ type: 'welcome' });
      if (random() < 0.5) await turn();
    }
    for (let n = 0; n < 250; n += 1) {
      const one = /** @type {ReturnType<typeof member>} */ (members[Math.floor(random() * members.length)]);
      const what = random();
      if (what < 0.02) one.wire.renew();
      else if (what < 0.3) [...one.known].forEach((id) => random() < 0.5 && one.membership.signal(id, { n }));
      else one.wire.step(what < 0.65);
      if (random() < 0.4) await turn();
    }
    await settle(members);
    // In the end everybody reaches everybody.
    for (const { wire, membership, heard } of members) {
      heard.length = 0;
      for (const other of members) if (other.wire !== wire) membership.signal(other.wire.id, 'the end');
    }
    await settle(members);
    assert.deepEqual(members.flatMap(({ alarms }) => alarms), []);
    for (const { heard } of members) assert.equal(heard.filter((payload) => payload === 'the end').length, 2);
  });
}
