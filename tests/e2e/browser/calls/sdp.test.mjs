// /sdp: what is pasted is explained, changed and taken by browsers again; calls in other tabs are found.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { accessible } from '../harness/axe.mjs';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
const sample = (/** @type {string} */ name) => readFile(new URL(`../unit/sdp/${name}.sdp`, import.meta.url), 'utf8');

/** Typing a long text key by key would take minutes. @param {Person} person @param {string} testid @param {string} text */
function paste(person, testid, text) {
  return person.evaluate(([selector, value]) => {
    const field = /** @type {HTMLTextAreaElement} */ (document.querySelector(selector));
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }, /** @type {const} */ ([id(testid), text]));
}

/** @param {Person} person */
async function openSdp(person) {
  await person.open(`${company.server.local}/sdp`);
  await person.sees(id('sdp'));
}

/** The browser's own offer, without the codec named. @param {Person} person @param {RegExp} codec */
async function without(person, codec) {
  await person.click(id('sdp-own'));
  await person.reads(id('sdp-summary'), /0 candidates/);
  await person.click(id('tab-edit'));
  const boxes = await person.evaluate((pattern) => [...document.querySelectorAll('[data-testid^="codec-"]')].filter((box) => new RegExp(pattern, 'i').test(box.nextElementSibling?.textContent ?? '')).map((box) => box.getAttribute('data-testid') ?? ''), codec.source);
  assert.ok(boxes.length > 0, `no ${codec} in the offer`);
  for (const box of boxes) await person.click(id(box));
  return (await person.attribute(id('sdp-diff'), 'data-text')) ?? '';
}

/** Hands an offer from one connection to another and back. @param {{sdp: string, local: boolean}} offer in the page */
async function negotiated({ sdp, local }) {
  // A description is taken for the connection's own only when what identifies the connection is.
  const ownOf = (/** @type {string} */ text, /** @type {string} */ made) =>
    ['o=', 'a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:'].reduce((changed, start) => changed.replace(new RegExp(`^${start}.*$`, 'gm'), new RegExp(`^${start}.*$`, 'm').exec(made)?.[0] ?? ''), text);
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  try {
    a.addTransceiver('audio');
    a.addTransceiver('video');
    a.createDataChannel('');
    if (local) await a.setLocalDescription({ type: 'offer', sdp: ownOf(sdp, (await a.createOffer()).sdp ?? '') });
    else await a.setLocalDescription();
    await b.setRemoteDescription({ type: 'offer', sdp });
    await b.setLocalDescription();
    await a.setRemoteDescription(/** @type {RTCSessionDescription} */ (b.localDescription));
    return { state: a.signalingState, answer: b.localDescription?.sdp ?? '' };
  } finally {
    a.close();
    b.close();
  }
}

test('a pasted description is explained, its problems lead to their lines, and two are compared', async () => {
  const ada = await company.chromium('Ada', { context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  await openSdp(ada);
  const [offer, answer] = [await sample('chromium-av-data-offer'), await sample('chromium-av-data-answer')];
  await paste(ada, 'sdp-input', JSON.stringify({ type: 'offer', sdp: offer.replace('a=mid:1\r\n', '') }));
  await ada.reads(id('sdp-summary'), /^Offer: 182 lines, 3 media sections, 12 candidates, 2 problems/);
  await ada.reads(id('sdp-problems'), /No “a=mid”/);
  assert.equal(await ada.count('.sdp-line[data-known="false"]'), 0);
  await accessible(ada, 'the explained description');
  await ada.click(`[data-code="noMid"] ${id('sdp-line-link')}`);
  await until('the line has the focus', () => ada.evaluate(() => document.activeElement?.getAttribute('data-line') === '43'));

  await paste(ada, 'sdp-input', JSON.stringify([{ type: 'offer', sdp: offer }, { type: 'answer', sdp: answer }]));
  await ada.click(id('tab-compare'));
  await ada.reads(id('sdp-compare'), /Offer and answer fit together/);
  assert.equal(await ada.count(id('sdp-agreed')), 3);

  await ada.click(id('tab-edit'));
  await ada.click(id('codec-0-111'));
  await accessible(ada, 'the description being changed');
  await ada.click(id('sdp-copy'));
  await ada.reads(id('sdp-copy'), 'Copied');
  const copied = await ada.evaluate(() => navigator.clipboard.readText());
  assert.doesNotMatch(copied, /opus|red\/48000/);
  assert.match(copied, /m=audio \d+ UDP\/TLS\/RTP\/SAVPF 9 0 8/);
  await goHome(ada);
});

test('what cannot be read is said, and a megabyte of anything does not stop the page', async () => {
  const ada = await company.chromium('Ada');
  await openSdp(ada);
  for (const [text, words] of [['good day', /No SDP was found/], ['{"type":', /isn’t valid JSON/], ['x'.repeat(1_300_000), /too long/], ['a=fmtp:1 '.repeat(110_000), /./], ['<img src=x onerror=alert(1)>\nv=0', /./]]) {
    await paste(ada, 'sdp-input', String(text));
    await ada.reads(id('sdp-input-error'), /** @type {RegExp} */ (words).source === '.' ? /^/ : /** @type {RegExp} */ (words));
    await until('the page answers', () => ada.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => drawn(true)))));
  }
  await ada.reads(id('sdp-problems'), /This is no SDP line/);
  assert.equal(await ada.count('main img'), 0);
  await goHome(ada);
});

test('calls in other tabs hand over their descriptions; what is none of them is not taken', async () => {
  const ada = await company.chromium('Ada');
  await openSdp(ada);
  const sdp = await sample('firefox-av-data-offer');
  // As a call's tab answers.
  await ada.evaluate((text) => {
    const channel = new BroadcastChannel('talkie-sdp');
    channel.onmessage = ({ data }) => {
      if (data?.type !== 'ask') return;
      for (const bad of [7, null, { type: 'descriptions', peers: 'x' }, { type: 'descriptions', peers: [null, { name: 'Eve', local: { type: 'offer', sdp: 5 } }] }]) channel.postMessage(bad);
      channel.postMessage({ type: 'descriptions', peers: [{ name: 'Grace\u202e', local: null, remote: { type: 'offer', sdp: text } }] });
    };
  }, sdp);
  await ada.click(id('sdp-ask'));
  await ada.reads(id('sdp-calls'), 'Call with Grace');
  assert.equal(await ada.count(id('sdp-peer')), 1);
  await ada.click(id('sdp-peer'));
  await ada.reads(id('sdp-summary'), /Offer by Firefox.*no problems/);
  await goHome(ada);
});

for (const browser of /** @type {const} */ (['chromium', 'firefox'])) {
  test(`${browser} takes its offer again with codecs left out`, async () => {
    const grace = await company[browser]('Grace');
    await openSdp(grace);
    const sdp = await without(grace, /^VP8|^opus/);
    assert.doesNotMatch(sdp, /VP8|opus/);
    // Firefox takes no changed description for its own.
    const { state, answer } = await grace.evaluate(negotiated, { sdp, local: browser === 'chromium' });
    assert.equal(state, 'stable');
    assert.doesNotMatch(answer, /VP8|opus/);
    assert.match(answer, /VP9/);
    await goHome(grace);
  });
}
