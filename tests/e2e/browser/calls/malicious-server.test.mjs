// A server that reads along and changes what peers send each other: it learns nothing of it, is found
// out, and nothing is connected through it; those it leaves alone are not affected.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { honest, MaliciousServer, nothing } from '../harness/malicious-server.mjs';
import { id } from '../harness/person.mjs';
import { meets, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @typedef {import('../harness/malicious-server.mjs').Attack} Attack */

const company = Company.gather();
/** @type {MaliciousServer} */
let mallory;
before(async () => void (mallory = await MaliciousServer.start()));
after(() => mallory.stop());

const KEY = randomBytes(16).toString('base64url');
/** Without devices: who is found out does not depend on pictures. @param {Person} person @param {string} room @param {string} [fragment] */
const enter = (person, room, fragment = `#${KEY}`) => person.open(`${mallory.local}/r/${room}?join&nomedia&name=${person.name}${fragment}`);

/** An offer with the server's own certificate, as it would need one to sit in the middle. */
const OFFER = {
  link: 'from-the-middle',
  description: {
    type: 'offer',
    sdp: [
      'v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0',
      'a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx', `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`, 'a=setup:actpass', 'a=mid:0', 'a=sctp-port:5000', '',
    ].join('\r\n'),
  },
};

/**
 * Lets the attack only see what goes from one to the other.
 * @param {number} to
 * @param {() => string|null} from
 * @param {(payload: any, n: number) => any} change gets the n-th payload, from 1; undefined: none comes
 * @returns {Attack}
 */
function between(to, from, change) {
  let n = 0;
  return (message, victim) => {
    if (message.type !== 'signal' || victim.number !== to || message.from !== from()) return message;
    const payload = change(message.payload, ++n);
    return payload === undefined ? nothing(message) : { ...message, payload };
  };
}

/** @param {Person} person */
const states = (person) => person.evaluate((s) => [...document.querySelectorAll(s)].map((tile) => {
  const { state, tampered } = /** @type {HTMLElement} */ (tile).dataset;
  return `${state} ${tampered ?? 'untouched'} ${tile.querySelector('[data-testid="tile-name"]')?.textContent}`;
}).sort(), OTHERS);

/** @param {Person} person @param {string[]} expected */
const sees = (person, ...expected) => until(`${person.name} sees ${expected}`, async () => {
  const now = await states(person);
  if (now.join() === expected.join()) return true;
  throw new Error(now.join());
});

/** @param {Person} person */
const connections = (person) => person.evaluate(() => /** @type {any} */ (window).talkieConnections.filter((/** @type {RTCPeerConnection} */ pc) => pc.connectionState === 'connected').length);

test('with a key the server learns neither names nor addresses nor fingerprints; without one it does', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.chromium('Grace')];
  const secrets = [/fingerprint/, /candidate/, /"sdp"/, /"Ada"|"Grace"/, new RegExp(KEY)];
  for (const person of [ada, grace]) await enter(person, 'sealed-room');
  for (const person of [ada, grace]) await meets(person, 1);
  const sealed = mallory.seen.join('\n');
  assert.ok(sealed.includes('"sealed":'), `${mallory.seen.length} frames: ${sealed.slice(0, 400)}`);
  for (const secret of secrets) assert.ok(!secret.test(sealed), `the server sees ${secret}`);

  mallory.seen.length = 0;
  for (const person of [ada, grace]) await enter(person, 'open-room', '');
  for (const person of [ada, grace]) await meets(person, 1);
  // What the test looks for is there when nothing hides it.
  for (const secret of secrets.slice(0, 4)) assert.ok(secret.test(mallory.seen.join('\n')), `${secret}`);
  await goHome(ada, grace);
});

test('payloads that are replaced, repeated, kept back or sealed for others are refused, and shown', async () => {
  const [ada, grace] = [await company.chromium('Ada'), await company.firefox('Grace')];
  const room = 'the-room';
  /** The ids that the server gave. @type {(string|null)[]} */
  const ids = [];
  /** @type {Attack} */
  let attack = honest;
  let first = 0;
  mallory.attack = (message, victim) => {
    first ||= victim.number;
    const number = victim.number - first;
    ids[number] = victim.self;
    return attack(message, { ...victim, number });
  };
  await enter(ada, room);
  await meets(ada, 0);
  await until('Ada is in', () => ids[0]);
  await enter(grace, room);
  for (const person of [ada, grace]) await meets(person, 1);

  /** @type {{what: string, attack: (joan: number) => Attack}[]} */
  const attacks = [
    { what: 'an unsealed offer with another fingerprint', attack: (joan) => between(0, () => ids[joan] ?? null, () => OFFER) },
    { what: 'that offer as if it were sealed', attack: (joan) => between(0, () => ids[joan] ?? null, () => ({ sealed: { n: 1, data: Buffer.from(JSON.stringify(OFFER)).toString('base64url') } })) },
    { what: 'the first payload again', attack: (joan) => {
      /** @type {any[]} */
      const kept = [];
      return between(0, () => ids[joan] ?? null, (payload) => kept[kept.push(payload) - 1] && kept[0]);
    } },
    { what: 'the first payload kept back', attack: (joan) => between(0, () => ids[joan] ?? null, (payload, n) => (n === 1 ? undefined : payload)) },
    { what: 'what Grace was to get', attack: (joan) => {
      /** @type {unknown} */
      let graces;
      return (message, victim) => {
        if (message.type !== 'signal' || message.from !== ids[joan]) return message;
        if (victim.number === 1) graces ??= message.payload;
        return victim.number === 0 ? { ...message, payload: graces ?? { sealed: { n: 1, data: '' } } } : message;
      };
    } },
  ];
  const joan = await company.chromium('Joan');
  for (const [at, { what, attack: make }] of attacks.entries()) {
    attack = make(2 + at);
    await enter(joan, room);
    const repeated = what === 'the first payload again';
    await until(`Ada refuses ${what}`, async () => (await states(ada)).some((tile) => /true Joan$/.test(tile)));
    await ada.reads('#toasts', /altered, repeated or held back messages between you and Joan/);
    // Joan is told by Ada, whose messages are not touched.
    await until('Joan knows', async () => (await states(joan)).some((tile) => /true Ada$/.test(tile)));
    if (!repeated) {
      await sees(ada, 'connected untouched Grace', 'refused true Joan');
      await sees(joan, 'connected untouched Grace', 'refused true Ada');
      assert.equal(await connections(ada), 1, `${what}: nothing but the connection to Grace`);
      assert.equal(await connections(joan), 1);
    }
    await meets(grace, 2);
    if (at === 0) await peopleSay(ada);
    joan.wellBehaved();
    await joan.open('about:blank');
    await until('Joan is gone', async () => (await ada.count(OTHERS)) === 1 && (await grace.count(OTHERS)) === 1);
  }

  // Joan is told that Ada's card were Grace's, and Grace's Ada's.
  attack = (message) => {
    if (message.type !== 'joined' || message.peers.length !== 2) return message;
    const [one, two] = message.peers;
    return { ...message, peers: [{ ...one, card: two.card }, { ...two, card: one.card }] };
  };
  await enter(joan, room);
  await sees(joan, 'refused true Ada', 'refused true Grace');
  await sees(ada, 'connected untouched Grace', 'refused true Joan');
  assert.equal(await connections(joan), 0);
  await say(ada, 'nobody is in our way');
  await readsInChat(grace, 'nobody is in our way');
  await goHome(ada, grace, joan);
});

/** @param {Person} ada */
async function peopleSay(ada) {
  await ada.click(id('people'));
  await ada.reads('[data-testid="person"][data-tampered="true"]', /Joan[^]*Refused: the server altered/);
  await ada.screenshot('tampered');
  await ada.press('Escape');
}
