import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodePriority, parseCandidate } from '../../../../crates/talkie-server/web/app/pages/candidate.js';
import { codecsOf, h264Profile } from '../../../../crates/talkie-server/web/app/pages/sdp/codecs.js';
import { explainer } from '../../../../crates/talkie-server/web/app/pages/sdp/explain.js';
import { guessType, readPasted } from '../../../../crates/talkie-server/web/app/pages/sdp/input.js';
import { MAX_CHARACTERS, parse } from '../../../../crates/talkie-server/web/app/pages/sdp/parse.js';
import { problemsOf } from '../../../../crates/talkie-server/web/app/pages/sdp/problems.js';
import en from '../../../../crates/talkie-server/web/app/strings/en/sdp-lines.js';
import zh from '../../../../crates/talkie-server/web/app/strings/zh/sdp-lines.js';

/** As browsers and aiortc wrote them; `TALKIE_SDP` names a folder with more. */
const folders = [new URL('sdp/', import.meta.url).pathname, ...(process.env.TALKIE_SDP ? [process.env.TALKIE_SDP] : [])];
const samples = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.sdp')).map((name) => ({ name, sdp: readFileSync(`${folder}/${name}`, 'utf8') })));
/** @param {string} name */
const sample = (name) => samples.find((one) => one.name === `${name}.sdp`)?.sdp ?? assert.fail(name);
/** @param {string} sdp @param {any} [type] */
const codesOf = (sdp, type = null) => problemsOf(parse(sdp), type).map(({ code, severity }) => (severity === 'bad' ? code : `(${code})`));

for (const words of [en, zh]) {
  test(`every line of real descriptions is explained (${words === en ? 'English' : '中文'})`, () => {
    assert.ok(samples.length >= 11);
    for (const { name, sdp } of samples) {
      const description = parse(sdp);
      const explain = explainer(description, words);
      const nothing = words.badValue('');
      for (const line of description.lines) {
        const { text, known, source } = explain(line);
        assert.ok(known && source, `${name}:${line.number} ${line.raw}`);
        assert.doesNotMatch(text, /undefined|NaN|\[object|=>/, `${name}:${line.number} ${line.raw}: ${text}`);
        assert.ok(!text.includes(nothing.slice(-4)) || !/“/.test(text) || line.name === 'mid' || line.name === 'rid', `${name}:${line.number} ${line.raw}: ${text}`);
      }
    }
  });
}

test('real descriptions have no problems', () => {
  for (const { name, sdp } of samples) {
    const bad = problemsOf(parse(sdp), guessType(sdp)).filter(({ severity }) => severity === 'bad');
    assert.deepEqual(bad, [], name);
  }
});

test('a line is explained from the lines around it', () => {
  const description = parse(sample('chromium-av-data-offer'));
  const explain = explainer(description, en);
  const text = (/** @type {string} */ start) => explain(description.lines.find(({ raw }) => raw.startsWith(start)) ?? assert.fail(start)).text;
  assert.match(text('a=fmtp:97 apt=96'), /retransmits VP8 \(96\)/);
  assert.match(text('a=fmtp:63'), /opus, up to 2 copies/);
  assert.match(text('a=fmtp:102 '), /Constrained Baseline|Baseline/);
  assert.match(text('m=audio'), /opus, red, G722/);
  assert.match(text('a=candidate'), /Priority \d+: type 126/);
});

test('H.264 profiles', () => {
  assert.deepEqual(h264Profile('42e01f'), { profile: 'Constrained Baseline', level: '3.1' });
  assert.deepEqual(h264Profile('42001f'), { profile: 'Baseline', level: '3.1' });
  assert.deepEqual(h264Profile('4d001f'), { profile: 'Main', level: '3.1' });
  assert.deepEqual(h264Profile('64002a'), { profile: 'High', level: '4.2' });
  assert.deepEqual(h264Profile('640c28'), { profile: 'Constrained High', level: '4' });
  assert.deepEqual(h264Profile('42f00b'), { profile: 'Constrained Baseline', level: '1b' });
  assert.equal(h264Profile('42e0'), null);
});

test('priorities come apart as RFC 8445 puts them together', () => {
  for (const [type, local, component] of [[126, 65535, 1], [100, 30, 1], [0, 0, 256], [2, 12345, 2]]) {
    assert.deepEqual(decodePriority(2 ** 24 * (type ?? 0) + 2 ** 8 * (local ?? 0) + 256 - (component ?? 0)), { type, local, component });
  }
});

test('candidates of browsers', () => {
  const relay = parseCandidate('candidate:624495735 1 udp 25042943 198.51.100.10 56249 typ relay raddr 0.0.0.0 rport 0 generation 0');
  assert.equal(relay?.type, 'relay');
  assert.deepEqual(relay?.extensions, [['generation', '0']]);
  assert.equal(parseCandidate('a=candidate:0 1 TCP 2105458943 x.local 9 typ host tcptype active')?.tcpType, 'active');
  for (const bad of ['', 'candidate:', 'candidate:1 1 udp x 1.2.3.4 5 typ host', 'candidate:1 1 udp 1 1.2.3.4 5 host']) assert.equal(parseCandidate(bad), null);
});

test('static payload types need no rtpmap', () => {
  const [section] = parse('v=0\r\nm=audio 9 RTP/AVP 0 8 96\r\n').sections;
  assert.deepEqual(section && codecsOf(section).map(({ name }) => name), ['PCMU', 'PCMA', '']);
});

const OFFER = sample('firefox-av-data-offer');
/** @type {[string, (sdp: string) => string, string, any?][]} */
const BROKEN = [
  ['a section without mid', (s) => s.replace('a=mid:1\r\n', ''), 'noMid'],
  ['no fingerprint', (s) => s.replace(/a=fingerprint.*\r\n/, ''), 'noFingerprint'],
  ['no ufrag', (s) => s.replace(/a=ice-ufrag.*\r\n/, ''), 'noUfrag'],
  ['a short password', (s) => s.replace(/a=ice-pwd:.*/, 'a=ice-pwd:short'), 'badPassword'],
  ['an open role in an answer', (s) => s, 'actpassAnswer', 'answer'],
  ['a payload type without its codec', (s) => s.replace('a=rtpmap:120 VP8/90000\r\n', ''), 'noMap'],
  ['a codec that the m-line lacks', (s) => s.replace(' 109 9 0 8 101', ' 9 0 8 101'), 'strayPayload'],
  ['retransmission of nothing', (s) => s.replace('apt=120', 'apt=77'), 'lonePartner'],
  ['a payload type twice', (s) => s.replace(' 109 9 0 8 101', ' 109 9 0 8 109 101'), 'doublePayload'],
  ['mixed line ends', (s) => s.replace('\r\n', '\n'), 'mixedLineEnds'],
  ['line feeds alone', (s) => s.replaceAll('\r\n', '\n'), '(lineFeeds)'],
  ['an empty line', (s) => s.replace('t=0 0\r\n', 't=0 0\r\n\r\n'), 'emptyLine'],
  ['a blank before the sign', (s) => s.replace('t=0 0', 't = 0 0'), 'space'],
  ['a broken candidate', (s) => s.replace(/a=candidate:0 1 UDP \d+/, 'a=candidate:0 1 UDP lots'), 'badCandidate'],
  ['two directions', (s) => s.replace('a=mid:0', 'a=recvonly\r\na=mid:0'), 'manyDirections'],
  ['a bundle of what is not there', (s) => s.replace('BUNDLE 0 1 2', 'BUNDLE 0 1 7'), 'bundleUnknown'],
  ['the same mid twice', (s) => s.replace('a=mid:1', 'a=mid:0'), 'doubleMid'],
  ['a rejected section', (s) => s.replace('m=video 9', 'm=video 0'), '(rejected)'],
  ['keys in the open', (s) => s.replace('a=mid:0', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=mid:0'), 'sdes'],
  ['an extension id twice', (s) => s.replace('a=extmap:3 ', 'a=extmap:1 '), 'doubleExtension'],
  ['no v= line', (s) => s.replace('v=0\r\n', ''), 'noVersion'],
];
for (const [what, change, code, type] of BROKEN) {
  test(`pointed out: ${what}`, () => {
    const found = codesOf(change(OFFER), type);
    assert.ok(found.includes(code), `${code} not in ${found}`);
    assert.ok(!codesOf(OFFER, 'offer').includes(code));
  });
}

test('a problem says where it is', () => {
  const [found] = problemsOf(parse('v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nnonsense\r\n'), null).filter(({ severity }) => severity === 'bad');
  assert.deepEqual([found?.code, found?.line], ['noLine', 5]);
});

const numbers = Array.from({ length: 80_000 }, (_, at) => at).join(' ');
const MANY_FORMATS = `m=audio 9 RTP/AVP ${numbers}\n`;
const MANY_MIDS = `v=0\na=group:BUNDLE ${numbers.slice(0, 300_000)}\n${'m=audio 9 RTP/AVP 0\n'.repeat(10_000)}`;

test('garbage of a megabyte is judged quickly', () => {
  for (const unit of ['x', 'a=', 'a=fmtp:1 \n', 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\n', 'v=0\r\na=rtpmap:1 1\r\n', '{"a":', '"', '\\r\\n', MANY_FORMATS, MANY_MIDS]) {
    const garbage = unit.repeat(Math.ceil(1_000_000 / unit.length));
    const began = process.cpuUsage();
    for (const { sdp, type } of readPasted(garbage).pasted) {
      const description = parse(sdp);
      problemsOf(description, type);
      const explain = explainer(description, en);
      description.lines.slice(0, 3000).forEach(explain);
    }
    // Of the processor, not of the clock: others may be using it.
    const { user } = process.cpuUsage(began);
    assert.ok(user < 5_000_000, `${unit.slice(0, 40)}: ${user / 1000} ms`);
  }
  assert.equal(readPasted('v'.repeat(MAX_CHARACTERS * 3)).fault, 'tooLong');
});

test('what people paste', () => {
  const sdp = sample('chromium-data-only-mdns-offer');
  assert.deepEqual(readPasted(JSON.stringify({ type: 'offer', sdp })).pasted, [{ type: 'offer', sdp }]);
  assert.deepEqual(readPasted(JSON.stringify({ log: [{ payload: { description: { type: 'answer', sdp } } }] })).pasted, [{ type: 'answer', sdp }]);
  assert.equal(readPasted(sdp.replaceAll('\r\n', '\\r\\n')).pasted[0]?.sdp, sdp);
  assert.equal(readPasted(sdp.replaceAll('\r\n', '\n').replace(/^/gm, '    ')).pasted[0]?.sdp.startsWith('v=0'), true);
  assert.equal(readPasted('{"type": "offer", "sdp"').fault, 'badJson');
  assert.equal(readPasted('{"hello": 1}').fault, 'noSdp');
  assert.equal(readPasted('good day').fault, 'noSdp');
  assert.deepEqual(readPasted('  '), { pasted: [], fault: null });
  assert.equal(readPasted('['.repeat(100_000)).fault, 'badJson');
});
