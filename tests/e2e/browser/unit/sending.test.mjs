import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate, DEFAULT_BUDGET, scaleFor } from '../../../../crates/talkie-server/web/app/sending/allocate.js';
import { choices, preferred } from '../../../../crates/talkie-server/web/app/sending/codecs.js';

const demand = { peers: 1, budget: 0, maxHeight: 0, screen: false, screenAudio: false };

/** All that goes to one peer. @param {typeof demand} asked */
function total(asked) {
  const shares = allocate(asked);
  const slots = /** @type {const} */ (['mic', 'camera', ...(asked.screen ? ['screen'] : []), ...(asked.screenAudio ? ['screenAudio'] : [])]);
  return slots.reduce((sum, slot) => sum + (shares[slot].active ? shares[slot].maxBitrate : 0), 0);
}

test('whatever is shared, all peers together stay within the uplink', () => {
  for (const budget of [0, 300_000, 1_000_000, 3_000_000, 20_000_000]) {
    for (let peers = 1; peers <= 7; peers += 1) {
      for (const [screen, screenAudio] of [[false, false], [true, false], [true, true]]) {
        const all = peers * total({ peers, budget, maxHeight: 0, screen: Boolean(screen), screenAudio: Boolean(screenAudio) });
        // Sound is never cut below what can be understood, and figures are whole kilobits.
        const sound = peers * (screenAudio ? 40_000 : 16_000);
        assert.ok(all <= Math.max(budget || DEFAULT_BUDGET, sound) + peers * 4000, `${budget} for ${peers}: ${all}`);
      }
    }
  }
});

test('one peer gets a full picture, more peers smaller ones, and always the sound', () => {
  const heights = [1, 2, 3, 4, 5, 6].map((peers) => allocate({ ...demand, peers }).camera.lines ?? 0);
  assert.deepEqual(heights, [1080, 1080, 720, 720, 540, 540]);
  assert.deepEqual(heights.toSorted((a, b) => b - a), heights);
  for (const peers of [1, 3, 6]) assert.equal(allocate({ ...demand, peers }).mic.maxBitrate, 40_000);
  const poor = allocate({ ...demand, peers: 6, budget: 150_000 });
  assert.equal(poor.mic.maxBitrate, 16_000);
  assert.equal(poor.camera.active, false);
  assert.ok(allocate({ ...demand, peers: 3, budget: 600_000 }).camera.active);
});

test('the camera yields to a shared screen and gets its part back', () => {
  const alone = allocate({ ...demand, peers: 2 });
  const shared = allocate({ ...demand, peers: 2, screen: true });
  assert.ok(shared.camera.maxBitrate < alone.camera.maxBitrate / 2);
  assert.ok(shared.screen.maxBitrate > 2 * shared.camera.maxBitrate);
  assert.ok((shared.camera.lines ?? 0) < (alone.camera.lines ?? 0));
  assert.equal(shared.screen.lines, undefined, 'text keeps its lines');
  assert.equal(shared.mic.maxBitrate, alone.mic.maxBitrate);
});

test('the cap on lines holds whatever the bitrate', () => {
  assert.equal(allocate({ ...demand, maxHeight: 360 }).camera.lines, 360);
  assert.equal(allocate({ ...demand, peers: 6, budget: 1_000_000, maxHeight: 1080 }).camera.lines, 180);
  assert.equal(scaleFor({ width: 1280, height: 720 }, 360), 2);
  assert.equal(scaleFor({ width: 720, height: 1280 }, 360), 2, 'an upright picture');
  assert.equal(scaleFor({ width: 640, height: 360 }, 720), 1, 'never made larger');
  assert.equal(scaleFor({}, 360), 2, 'a browser that does not tell the size');
  assert.equal(scaleFor({ width: 640, height: 480 }, undefined), 1);
});

const codecs = ['video/VP8', 'video/rtx', 'video/VP9', 'video/H264', 'video/H264', 'video/red'].map((mimeType, at) => ({ mimeType, clockRate: 90_000, sdpFmtpLine: `at=${at}` }));

test('a preferred codec comes first and no other is lost', () => {
  const list = preferred(codecs, 'h264');
  assert.deepEqual(list.map((c) => c.mimeType), ['video/H264', 'video/H264', 'video/VP8', 'video/rtx', 'video/VP9', 'video/red']);
  assert.deepEqual(preferred(codecs, 'av1'), [], 'one that is missing here changes nothing');
  assert.deepEqual(preferred(codecs, 'auto'), []);
  assert.deepEqual(choices(codecs), ['auto', 'vp8', 'vp9', 'h264']);
});
