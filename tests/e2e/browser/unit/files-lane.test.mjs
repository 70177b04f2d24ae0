// How the transfers to one peer share its connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from '../../../../crates/talkie-server/web/app/files/lane.js';
import { CHUNK, LARGE_CHUNK } from '../../../../crates/talkie-server/web/app/files/protocol.js';

test('a lane lets everybody send in turn, keeps the buffers small and never falls asleep', () => {
  /** @type {string[]} */
  const order = [];
  const lane = new Lane(() => 0);
  /** As a channel does it: the call comes when the buffer falls to the threshold, not when it is below. */
  class Job {
    buffered = 0;
    threshold = 0;

    /** @param {string} name @param {number} chunks */
    constructor(name, chunks) {
      this.name = name;
      this.chunks = chunks;
    }

    get ready() {
      return this.chunks > 0;
    }

    /** @param {number} bytes */
    drainedAt(bytes) {
      this.threshold = bytes;
    }

    /** @param {number} most */
    step(most) {
      assert.ok(most >= CHUNK);
      this.chunks -= 1;
      order.push(this.name);
      this.buffered += CHUNK;
      return CHUNK;
    }

    drain() {
      const above = this.buffered > this.threshold;
      this.buffered = Math.max(0, this.buffered - 1000);
      if (above && this.buffered <= this.threshold) lane.wake();
    }
  }
  const jobs = ['a', 'b', 'c', 'd'].map((name) => new Job(name, 0));
  jobs.forEach((one) => lane.add(one));
  // All at once, so that each gets as much of the buffers.
  for (const one of jobs) one.chunks = 200;
  lane.wake();
  for (let i = 0; i < 20_000 && jobs.some(({ chunks }) => chunks > 0); i += 1) {
    assert.ok(jobs.reduce((sum, { buffered }) => sum + buffered, 0) < 16 * CHUNK + 2 * CHUNK);
    jobs.forEach((one) => one.drain());
  }
  assert.deepEqual(jobs.map(({ chunks }) => chunks), [0, 0, 0, 0]);
  const early = order.slice(0, 150);
  for (const { name } of jobs) assert.ok(Math.abs(early.filter((one) => one === name).length - 37) < 12, early.join(''));
});

test('on a fast connection chunks and buffers grow, on a slow one they shrink', () => {
  let now = 0;
  const lane = new Lane(() => now);
  const job = {
    buffered: 0,
    ready: true,
    threshold: 0,
    chunk: 0,
    deepest: 0,
    drainedAt: (/** @type {number} */ bytes) => void (job.threshold = bytes),
    step: (/** @type {number} */ most) => {
      job.buffered += job.chunk = most;
      job.deepest = Math.max(job.deepest, job.buffered);
      return most;
    },
  };
  lane.add(job);
  /** @param {number} perSecond */
  const run = (perSecond) => {
    for (let i = 0; i < 1200; i += 1) {
      now += 10;
      if (i === 600) job.deepest = 0;
      job.buffered = Math.max(0, job.buffered - perSecond / 100);
      if (job.buffered <= job.threshold) lane.wake();
    }
    return [job.chunk, job.deepest];
  };
  // Four megabytes, and half a megabyte; each with the chunk that goes past it.
  const [large = 0, deep = 0] = run(40e6);
  assert.ok(large === LARGE_CHUNK && deep >= 2 ** 22 && deep < 2 ** 22 + 2 * large, `${large} ${deep}`);
  const [small = 0, shallow = 0] = run(5e5);
  assert.ok(small === CHUNK && shallow >= 2 ** 19 && shallow < 2 ** 19 + 2 * small, `${small} ${shallow}`);
});
