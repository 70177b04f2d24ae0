// A room of six, as many as it holds: everybody's picture and sound reach everybody, the uplink is
// shared out, and a seventh is told.
// Runs alone: six browsers, one of them Firefox, take both cores.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { brings, getsFromEach } from '../harness/own-media.mjs';
import { id } from '../harness/person.mjs';
import { enter, linkTo, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @typedef {import('../harness/own-media.mjs').Own} Own */

const company = Company.gather();
/** So much one of them may send to all others together, in bit/s. */
const CAP = 5_000_000;

/** @type {Record<string, Own>} */
const OWN = {
  Ada: { colour: [200, 30, 30], note: 330 },
  Grace: { colour: [30, 160, 30], note: 392 },
  Joan: { colour: [40, 60, 220], note: 440 },
  Hedy: { colour: [210, 190, 40], note: 494 },
  Radia: { colour: [170, 40, 190], note: 523 },
  Mitchell: { colour: [40, 180, 190], note: 587 },
};

/** @param {string[]} names */
const allBut = (...names) => Object.fromEntries(Object.entries(OWN).filter(([other]) => !names.includes(other)));

/** The bits per second that all senders with something to send may use. @param {Person} person @returns {Promise<number>} */
const mostSent = (person) =>
  person.evaluate(() => /** @type {any} */ (window).talkie.peers
    .flatMap((/** @type {any} */ { pc }) => pc.getSenders())
    .filter((/** @type {RTCRtpSender} */ sender) => sender.track)
    .flatMap((/** @type {RTCRtpSender} */ sender) => sender.getParameters().encodings)
    .reduce((/** @type {number} */ sum, /** @type {RTCRtpEncodingParameters} */ encoding) => sum + (encoding.maxBitrate ?? Infinity), 0));

test('six see and hear each other, a seventh is told, and who leaves is missed by nobody else', async (t) => {
  const small = { context: { viewport: { width: 480, height: 360 } } };
  const names = Object.keys(OWN);
  const people = await Promise.all(names.map(async (name) => brings(await (name === 'Mitchell' ? company.firefox(name) : company.chromium(name, small)), /** @type {Own} */ (OWN[name]))));
  const [ada, leaving, , , , last] = /** @type {[Person, Person, Person, Person, Person, Person]} */ (people);
  const room = newRoom();
  const comes = (/** @type {Person} */ person) => enter(person, company.server.network, room);
  await Promise.all(people.filter((person) => person !== last).map(comes));
  await ada.reads(id('room-note'), 'One place left');
  await comes(last);
  await Promise.all(people.map((person) => meets(person, 5)));
  await ada.reads(id('room-note'), 'The room is full now');
  const begun = Date.now();
  await Promise.all(people.map((person) => getsFromEach(person, allBut(person.name))));
  t.diagnostic(`all thirty pictures and sounds in ${Date.now() - begun} ms`);
  for (const person of people) {
    const most = await mostSent(person);
    assert.ok(most > CAP / 2 && most <= CAP, `${person.name} may send ${most} bit/s`);
  }
  await ada.screenshot('room-six-desktop');

  const late = await company.chromium('Lynn', small);
  await late.open(linkTo(company.server.network, room));
  await late.fill(id('name'), late.name);
  await late.click(id('enter'));
  await late.reads(id('lobby-error'), 'This room is full');
  await goHome(late);

  await leaving.click(id('leave'));
  const staying = people.filter((person) => person !== leaving);
  await Promise.all(staying.map((person) => until(`${leaving.name} is gone for ${person.name}`, async () => (await person.count(OTHERS)) === 4)));
  // Not with Firefox: its pictures may stand still for most of a minute while two cores encode thirty of them.
  await Promise.all(staying.filter((person) => person !== last).map((person) => getsFromEach(person, allBut(person.name, leaving.name))));
  await ada.reads(id('room-note'), 'One place left');
  await goHome(...people);
});
