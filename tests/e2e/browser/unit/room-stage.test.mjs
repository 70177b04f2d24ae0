// Who is large, where tiles are, who speaks, whose hand is up first, and what the room's limit is worth saying.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handOrder, handRaisedAt, presenceMessages } from '../../../../crates/talkie-server/web/app/peer/messages/presence.js';
import { readRoomPeers, roomNote } from '../../../../crates/talkie-server/web/app/session/room-limit.js';
import { SpeakerChoice } from '../../../../crates/talkie-server/web/app/session/speaker-choice.js';
import { arrange, nearestCorner, placeTiles } from '../../../../crates/talkie-server/web/app/views/room/arrangement.js';
import { elapsed, recordingFormat, recordingName } from '../../../../crates/talkie-server/web/app/recording/format.js';

/** @param {number} others @param {string[]} screens @returns {import('../../../../crates/talkie-server/web/app/views/room/arrangement.js').Shown[]} */
const people = (others, ...screens) => [
  ...screens.map((peer) => ({ id: `${peer}-screen`, peer, kind: /** @type {const} */ ('screen'), self: peer === 'self' })),
  ...Array.from({ length: others }, (_, at) => ({ id: `p${at}-camera`, peer: `p${at}`, kind: /** @type {const} */ ('camera'), self: false })),
  { id: 'self-camera', peer: 'self', kind: 'camera', self: true },
];
const choice = { layout: /** @type {const} */ ('grid'), pinned: null, speaker: null };

test('pinned comes before screens, screens before who speaks; two people float', () => {
  assert.deepEqual(arrange(people(3), choice), { large: [], small: ['p0-camera', 'p1-camera', 'p2-camera', 'self-camera'], floating: null });
  assert.deepEqual(arrange(people(3), { ...choice, layout: 'speaker', speaker: 'p2' }).large, ['p2-camera']);
  assert.deepEqual(arrange(people(3), { ...choice, layout: 'speaker', speaker: 'gone' }).large, ['p0-camera']);
  assert.deepEqual(arrange(people(3, 'p1'), { ...choice, layout: 'speaker', speaker: 'p2' }).large, ['p1-screen']);
  assert.deepEqual(arrange(people(3, 'p1'), { ...choice, pinned: 'self-camera' }).large, ['self-camera']);
  assert.deepEqual(arrange(people(3), { ...choice, pinned: 'nobody' }).large, []);
  assert.deepEqual(arrange(people(1), choice), { large: ['p0-camera'], small: [], floating: 'self-camera' });
  assert.deepEqual(arrange(people(1), { ...choice, pinned: 'self-camera' }), { large: ['self-camera'], small: ['p0-camera'], floating: null });
  assert.deepEqual(arrange(people(0), choice), { large: [], small: ['self-camera'], floating: null });
});

test('no tile leaves the stage or covers another, whatever its size', () => {
  for (const [width, height] of [[1248, 656], [374, 690], [720, 300], [3400, 1300], [160, 120]]) {
    const stage = { width: width ?? 0, height: height ?? 0, gap: 8 };
    for (let others = 0; others < 8; others += 1) {
      for (const tiles of [people(others), people(others, 'self'), people(others, 'p0', 'self')]) {
        for (const layout of /** @type {const} */ (['grid', 'speaker'])) {
          const arrangement = arrange(tiles, { ...choice, layout });
          const places = placeTiles(arrangement, { ...stage, ratioOf: (id) => (id.endsWith('screen') ? 9 / 16 : null) });
          assert.equal(places.size, tiles.length);
          const boxes = [...places].filter(([id]) => id !== arrangement.floating).map(([, box]) => box);
          for (const box of places.values()) {
            assert.ok(box.x >= -1 && box.y >= -1 && box.x + box.width <= stage.width + 1 && box.y + box.height <= stage.height + 1, JSON.stringify({ stage, box, others, layout }));
            assert.ok(box.width > 0 && box.height > 0);
          }
          boxes.forEach((a, at) => boxes.slice(at + 1).forEach((b) => {
            const apart = a.x + a.width <= b.x + 1 || b.x + b.width <= a.x + 1 || a.y + a.height <= b.y + 1 || b.y + b.height <= a.y + 1;
            assert.ok(apart, JSON.stringify({ stage, a, b, others, layout }));
          }));
        }
      }
    }
  }
  assert.equal(nearestCorner(10, 10, { width: 100, height: 100 }), 'top-left');
  assert.equal(nearestCorner(90, 60, { width: 100, height: 100 }), 'bottom-right');
});

/** @param {SpeakerChoice} choice @param {number} from @param {number} ms @param {Record<string, number>} levels */
function listen(choice, from, ms, levels) {
  let seen = choice.observe(new Map(Object.entries(levels)), from);
  for (let at = from + 200; at <= from + ms; at += 200) seen = choice.observe(new Map(Object.entries(levels)), at);
  return seen;
}

test('the stage goes to who speaks, and not to a cough', () => {
  const choice = new SpeakerChoice();
  assert.deepEqual(listen(choice, 0, 1000, { a: 0, b: 0.001 }), { speaking: [], speaker: null });
  assert.deepEqual(listen(choice, 2000, 600, { a: 0.2, b: 0 }), { speaking: ['a'], speaker: 'a' });
  // A cough while a speaks: a ring, no more.
  const coughed = listen(choice, 2800, 200, { a: 0.2, b: 0.5 });
  assert.deepEqual([coughed.speaker, coughed.speaking], ['a', ['a', 'b']]);
  assert.equal(listen(choice, 3200, 2000, { a: 0.2, b: 0 }).speaker, 'a');
  // a is silent: the last one stays until b has said something.
  assert.deepEqual(listen(choice, 6000, 2000, { a: 0, b: 0 }), { speaking: [], speaker: 'a' });
  assert.equal(listen(choice, 9000, 800, { a: 0, b: 0.1 }).speaker, 'b');
  // Both speak alike: no flicker. b is clearly louder for longer: nothing changes for b; then a for a while.
  assert.equal(listen(choice, 10_000, 3000, { a: 0.11, b: 0.1 }).speaker, 'b');
  assert.equal(listen(choice, 14_000, 3000, { a: 0.4, b: 0.1 }).speaker, 'a');
  assert.equal(listen(choice, 18_000, 400, { b: 0 }).speaker, null);
});

test('hands are in the order in which they went up, and nobody can jump the queue', () => {
  assert.deepEqual([...handOrder([{ key: 'a', hand: 20 }, { key: 'b', hand: null }, { key: 'c', hand: 10 }])], [['c', 1], ['a', 2]]);
  assert.equal(handRaisedAt(5000, null, 0, 20_000), 15_000);
  assert.equal(handRaisedAt(86_000_000, null, 19_000, 20_000), 19_000, 'it was down a second ago');
  assert.equal(handRaisedAt(1, 15_000, 0, 20_000), 15_000, 'told again it stays where it was');
  assert.equal(handRaisedAt(null, 15_000, 0, 20_000), null);
  const judged = presenceMessages.state({ hand: -1, recording: 'yes', held: 1 });
  assert.deepEqual([judged.hand, judged.recording, judged.held], [null, false, false]);
  assert.equal(presenceMessages.state({ hand: Infinity }).hand, 86_400_000);
});

test('the limit of the room is said before it is reached', () => {
  assert.deepEqual([1, 4, 5, 6, 7].map((n) => roomNote(n, 6)), ['', '', 'one-left', 'full', 'full']);
  assert.deepEqual([4, 5, 7].map((n) => roomNote(n, 12)), ['', 'many', 'many']);
  assert.equal(roomNote(5, null), 'many');
  for (const bad of [null, {}, { roomPeers: 'six' }, { roomPeers: 0 }, { roomPeers: 1.5 }]) assert.equal(readRoomPeers(bad), null);
  assert.equal(readRoomPeers({ roomPeers: 6 }), 6);
});

test('a recording has a format that the browser has and a name that says when', () => {
  assert.equal(recordingFormat((mime) => mime.startsWith('video/mp4')), 'video/mp4;codecs=avc1.42E01F,mp4a.40.2');
  assert.equal(recordingFormat(() => false), null);
  assert.equal(recordingName('calm-otter', new Date(2026, 0, 5, 9, 3, 7), 'video/webm;codecs=vp8,opus'), 'calm-otter 2026-01-05 09.03.07.webm');
  assert.deepEqual([elapsed(0), elapsed(61_500), elapsed(3_723_000)], ['0:00', '1:01', '1:02:03']);
});
