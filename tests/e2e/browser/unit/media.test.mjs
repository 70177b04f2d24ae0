// What cameras, microphones and the effects are asked for, as far as it needs no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITER, logFrequencies, makeupGain, SHAPER_RANGE, shaperCurve, toDecibels, toFactor } from '../../../../crates/talkie-server/web/app/media/bands.js';
import { browserKind } from '../../../../crates/talkie-server/web/app/media/browser-kind.js';
import { constraintsFor, processedAsWished } from '../../../../crates/talkie-server/web/app/media/constraints.js';
import { listed } from '../../../../crates/talkie-server/web/app/media/device-list.js';
import { decibels, loudness } from '../../../../crates/talkie-server/web/app/media/level.js';
import { spoken } from '../../../../crates/talkie-server/web/app/media/muted-hint.js';
import { judge } from '../../../../crates/talkie-server/web/app/preferences.js';

test('the chosen device is asked for, or the one that is named, or any', () => {
  const wishes = judge({ micId: 'desk', cameraId: 'lid' });
  assert.deepEqual(constraintsFor('mic', wishes).deviceId, { exact: 'desk' });
  assert.deepEqual(constraintsFor('camera', wishes, 'door').deviceId, { exact: 'door' });
  assert.equal('deviceId' in constraintsFor('camera', wishes, ''), false);
  assert.equal('deviceId' in constraintsFor('mic', judge({})), false);
});

test('processing is asked for as preferred, and judged by what the browser tells', () => {
  const wishes = judge({ echoCancellation: false });
  const { echoCancellation, noiseSuppression, autoGainControl } = constraintsFor('mic', wishes);
  assert.deepEqual([echoCancellation, noiseSuppression, autoGainControl], [false, true, true]);
  assert.equal(processedAsWished({ echoCancellation: true }, wishes), false);
  assert.equal(processedAsWished({ echoCancellation: false, noiseSuppression: true }, wishes), true);
  assert.equal(processedAsWished({}, wishes), true, 'what a browser does not tell is not held against it');
});

test('the list has each device once, in its own kind, told apart from its namesake', () => {
  const device = (/** @type {MediaDeviceKind} */ kind, /** @type {string} */ deviceId, label = '') => ({ kind, deviceId, label });
  const list = listed([
    device('audioinput', 'default', 'Default - Headset'),
    device('audioinput', 'communications', 'Communications - Headset'),
    device('audioinput', 'a', 'Headset'),
    device('videoinput', '', ''),
    device('videoinput', 'b', 'Webcam'),
    device('videoinput', 'c', 'Webcam'),
    device('videoinput', 'd', 'Webcam'),
    device('audiooutput', 'e'),
  ]);
  assert.deepEqual(list.mic, [{ id: 'a', label: 'Headset' }]);
  assert.deepEqual(list.camera.map(({ label }) => label), ['Webcam', 'Webcam (2)', 'Webcam (3)']);
  assert.deepEqual(list.speaker, [{ id: 'e', label: '' }]);
});

test('browsers are known by what they call themselves', () => {
  const agents = /** @type {[string, number, string][]} */ ([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 0, 'chromium'],
    ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', 5, 'chromiumPhone'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 'firefox'],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 5, 'firefoxPhone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 0, 'safari'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 5, 'safariPhone'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1', 5, 'safariPhone'],
    ['', 0, 'chromium'],
  ]);
  for (const [agent, touches, kind] of agents) assert.equal(browserKind(agent, touches), kind, agent);
});

test('levels are decibels below full scale, and silence is none', () => {
  assert.equal(decibels(new Float32Array(64)), -Infinity);
  assert.equal(decibels(new Float32Array(0)), -Infinity);
  assert.ok(Math.abs(decibels(new Float32Array(64).fill(0.1)) + 20) < 1e-4);
  assert.deepEqual([loudness(-Infinity), loudness(-60), loudness(-30), loudness(6)], [0, 0, 0.5, 1]);
});

test('speech is loud for a while; a slam or silence is not speech', () => {
  assert.equal(spoken([-20, -90, -90, -90, -90, -90, -90, -90, -90, -90]), false);
  assert.equal(spoken([-20, -90, -25, -90, -30]), true);
  assert.equal(spoken([-20, -20, -20, ...Array(10).fill(-Infinity)]), false, 'what was said long ago');
});

test('the limiter lets quiet sound through as it is and nothing over the edge', () => {
  const curve = shaperCurve();
  const at = (/** @type {number} */ x) => Number(curve[Math.round(((x / SHAPER_RANGE + 1) / 2) * (curve.length - 1))]);
  assert.ok(Math.abs(at(0.5) - 0.5) < 1e-6);
  assert.ok(curve.every((value, n) => Math.abs(value) < 1 && (n === 0 || value >= Number(curve[n - 1]))), 'below full scale, and rising');
  assert.ok(Math.abs(toDecibels(makeupGain()) - 0.6 * -LIMITER.threshold * (1 - 1 / LIMITER.ratio)) < 1e-9);
  assert.ok(Math.abs(toFactor(-20) - 0.1) < 1e-12);
});

test('frequencies are spread as the ear hears them', () => {
  const points = logFrequencies(4);
  assert.deepEqual([...points].map(Math.round), [20, 200, 2000, 20_000]);
});

test('stored settings out of range are as if they had never been stored', () => {
  assert.equal(judge({ gain: 99 }).gain, 0);
  assert.equal(judge({ bass: Number.NaN }).bass, 0);
  assert.equal(judge({ micId: 'x'.repeat(10_000) }).micId, '');
  assert.equal(judge({ effects: 'yes' }).effects, false);
});
