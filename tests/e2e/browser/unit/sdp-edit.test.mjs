import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codecsOf } from '../../../../crates/talkie-server/web/app/pages/sdp/codecs.js';
import { negotiate } from '../../../../crates/talkie-server/web/app/pages/sdp/compare.js';
import { diff, folded } from '../../../../crates/talkie-server/web/app/pages/sdp/diff.js';
import { leavesCodec, rewrite, withCompanions } from '../../../../crates/talkie-server/web/app/pages/sdp/edit.js';
import { directionOf, parse } from '../../../../crates/talkie-server/web/app/pages/sdp/parse.js';
import { problemsOf } from '../../../../crates/talkie-server/web/app/pages/sdp/problems.js';

/** @param {string} name */
const sample = (name) => readFileSync(new URL(`sdp/${name}.sdp`, import.meta.url), 'utf8');
/** @param {import('../../../../crates/talkie-server/web/app/pages/sdp/parse.js').Description} description @param {string} kind */
const sectionOf = (description, kind) => description.sections.find((section) => section.kind === kind) ?? assert.fail(kind);

test('nothing changed is nothing changed', () => {
  for (const name of ['chromium-av-data-offer', 'firefox-av-data-offer', 'aiortc-av-data-offer']) assert.equal(rewrite(parse(sample(name)), new Map()), sample(name));
});

for (const name of ['chromium-av-data-offer', 'firefox-av-data-offer', 'aiortc-av-data-offer']) {
  test(`each codec of ${name} can go, and all that belongs to it goes along`, () => {
    const description = parse(sample(name));
    for (const section of description.sections.slice(0, 2)) {
      for (const { payload, name: codec } of codecsOf(section)) {
        const gone = withCompanions(section, [payload]);
        const sdp = rewrite(description, new Map([[section.index, { removed: new Set([payload]), direction: null }]]));
        const after = parse(sdp);
        assert.deepEqual(after.sections[section.index]?.formats, section.formats.filter((format) => !gone.has(format)), codec);
        const bad = problemsOf(after, 'offer').filter(({ severity }) => severity === 'bad');
        assert.deepEqual(bad, [], `${codec} ${payload}`);
      }
    }
  });
}

test('who retransmits or repeats a codec goes with it, also in a chain', () => {
  const [section] = parse('m=video 9 UDP/TLS/RTP/SAVPF 98 97 96 99\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 red/90000\r\na=fmtp:97 96/96\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\na=rtpmap:99 VP9/90000\r\n').sections;
  assert.ok(section);
  const gone = withCompanions(section, ['96']);
  assert.deepEqual([...gone].sort(), ['96', '97', '98']);
  assert.equal(leavesCodec(section, gone), true);
  assert.equal(leavesCodec(section, withCompanions(section, ['96', '99'])), false);
});

test('a layer bound to payload types loses those that go', () => {
  const description = parse('v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 99\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:99 VP9/90000\r\na=rid:h send pt=96,99;max-width=640\r\na=rid:q send pt=96\r\n');
  const sdp = rewrite(description, new Map([[0, { removed: new Set(['96']), direction: null }]]));
  assert.match(sdp, /a=rid:h send pt=99;max-width=640\r\na=rid:q send\r\n/);
});

test('directions are turned, also when the session gave them or nobody', () => {
  for (const name of ['chromium-av-data-offer', 'firefox-av-data-offer']) {
    const description = parse(sample(name));
    const after = parse(rewrite(description, new Map([[1, { removed: new Set(), direction: 'recvonly' }]])));
    assert.deepEqual(after.sections.map((section) => directionOf(after, section)), ['sendrecv', 'recvonly', 'sendrecv']);
  }
  const bare = parse('v=0\r\na=sendonly\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n');
  assert.match(rewrite(bare, new Map([[0, { removed: new Set(), direction: 'inactive' }]])), /m=audio 9 RTP\/AVP 0\r\na=inactive\r\na=mid:0/);
});

test('the difference, applied, is the other text', () => {
  const a = sample('chromium-av-data-offer').split('\r\n');
  const b = sample('chromium-av-data-answer').split('\r\n');
  for (const [before, after] of [[a, b], [b, a], [[], a], [a, []], [a, a], [['x'], ['y']]]) {
    const rows = diff(before ?? [], after ?? []);
    assert.deepEqual(rows.filter(({ kind }) => kind !== 'added').map(({ text }) => text), before);
    assert.deepEqual(rows.filter(({ kind }) => kind !== 'removed').map(({ text }) => text), after);
  }
  assert.equal(diff(['a', 'b', 'c'], ['a', 'c']).filter(({ kind }) => kind !== 'same').length, 1);
});

test('texts with nothing in common are soon compared', () => {
  const many = (/** @type {string} */ word) => Array.from({ length: 5000 }, (_, at) => `${word}${at}`);
  const began = process.cpuUsage();
  assert.equal(diff(many('a'), many('b')).length, 10_000);
  assert.ok(process.cpuUsage(began).user < 5_000_000);
});

test('what an offer and its answer agree on', () => {
  const { sections, mismatches } = negotiate(parse(sample('chromium-av-data-offer')), parse(sample('chromium-av-data-answer')));
  assert.deepEqual(mismatches, []);
  const [audio, video, data] = sections;
  assert.equal(audio?.codecs[0]?.name, 'opus');
  assert.equal(audio?.dtlsClient, 'answerer');
  assert.ok(video?.bundled);
  assert.deepEqual(data?.messages, [262144, 262144]);
});

/** @type {[string, (answer: string) => string, string][]} */
const MISFITS = [
  ['a section fewer', (s) => s.slice(0, s.indexOf('m=application')), 'count'],
  ['another mid', (s) => s.replace('a=mid:1', 'a=mid:one'), 'mid'],
  ['an open DTLS role', (s) => s.replaceAll('a=setup:active', 'a=setup:actpass'), 'setup'],
  ['a codec that was not offered', (s) => s.replace('a=rtpmap:96 VP8/', 'a=rtpmap:96 VP7/'), 'payload'],
];
for (const [what, change, code] of MISFITS) {
  test(`an answer does not fit with ${what}`, () => {
    const { mismatches } = negotiate(parse(sample('chromium-av-data-offer')), parse(change(sample('chromium-av-data-answer'))));
    assert.ok(mismatches.some((mismatch) => mismatch.code === code), JSON.stringify(mismatches));
  });
}

test('both sides cannot send to who does not receive', () => {
  const offer = parse(sample('chromium-av-data-offer').replace('a=sendrecv', 'a=sendonly'));
  const answer = parse(sample('chromium-av-data-answer').replace(/a=(?:sendrecv|recvonly)/, 'a=sendrecv'));
  assert.ok(sectionOf(offer, 'audio'));
  assert.ok(negotiate(offer, answer).mismatches.some(({ code }) => code === 'direction'));
});

test('equal lines far from a difference are folded, and nothing is lost', () => {
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  const rows = diff(lines, lines.toSpliced(12, 1));
  const shown = folded(rows);
  assert.deepEqual(shown.map((one) => (one.kind === 'folded' ? one.rows.length : one.kind)), [9, 'same', 'same', 'same', 'removed', 'same', 'same', 'same', 14]);
  assert.deepEqual(shown.flatMap((one) => (one.kind === 'folded' ? one.rows : [one])), rows);
  const equal = diff(lines, lines);
  assert.deepEqual(folded(equal), equal, 'without a difference everything stays to be read');
  const short = diff(lines.slice(0, 6), lines.slice(1, 6));
  assert.equal(folded(short).filter(({ kind }) => kind === 'folded').length, 0);
});
