// In Firefox a connection whose ICE has failed carries nothing any more, whatever it says after a restart.
// Here ICE fails for real: for a while that browser gets the other side's description with credentials
// that are not the other side's.
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { enter, meets, newRoom, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

/** Runs in the page. */
function mishears() {
  const page = /** @type {any} */ (window);
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function (/** @type {RTCSessionDescriptionInit} */ { type, sdp = '' }) {
    // Noted before the app hears of it, which may put another connection in its place at once.
    const note = () => (page.hasFailed ||= this.iceConnectionState === 'failed');
    this.addEventListener('iceconnectionstatechange', note, { capture: true });
    if (page.mishearing) sdp = sdp.replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${'0'.repeat(32)}`).replace(/^a=candidate:.*\r\n/gm, '');
    return Reflect.apply(setRemoteDescription, this, [{ type, sdp }]);
  };
}

/** @param {Person} person @param {Person} other */
async function failsAndRecovers(person, other) {
  await person.evaluate(() => (/** @type {any} */ (window).mishearing = true));
  for (const one of [person, other]) await one.evaluate(() => /** @type {any} */ (window).talkie.peers[0].pc.restartIce());
  await until(`ICE has failed for ${person.name}`, () => person.evaluate(() => Boolean(/** @type {any} */ (window).hasFailed)));
  await person.evaluate(() => (/** @type {any} */ (window).mishearing = false));
  for (const one of [person, other]) {
    await meets(one, 1);
    await moves(one, `${OTHERS} video`);
    await hears(one);
  }
  await say(person, 'here I am again');
  await readsInChat(other, 'here I am again');
}

for (const first of ['Firefox', 'Chromium']) {
  test(`a call recovers after ICE has failed in Firefox, ${first} having been there first`, async () => {
    const ada = await company.chromium('Ada');
    const grace = await company.firefox('Grace');
    await grace.page.evaluateOnNewDocument(mishears);
    const room = newRoom();
    const people = first === 'Firefox' ? [grace, ada] : [ada, grace];
    for (const person of people) await enter(person, company.server.network, room);
    for (const person of people) await meets(person, 1);
    await failsAndRecovers(grace, ada);
    await goHome(ada, grace);
  });
}
