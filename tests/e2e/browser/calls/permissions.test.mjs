// Devices that somebody does not want to give, takes back or gives later, and one that another program
// holds: what is said, and that the call goes on with what there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, linkTo, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

/** @param {Person} person @param {'mic'|'camera'} device @param {string} value */
const shows = (person, device, value) =>
  until(`${person.name}'s ${device} is ${value}`, async () => (await person.attribute(id(device), 'data-state')) === value);

/** All else is refused. @param {Person} person @param {('camera'|'microphone')[]} permissions */
const allows = (person, ...permissions) => person.page.context().grantPermissions(permissions, { origin: company.server.local });

test('who is refused goes in without, and is seen and heard as soon as it is allowed', async () => {
  const [ada, grace] = [await company.chromium('Ada', { browser: { realPermissions: true } }), await company.chromium('Grace')];
  const room = newRoom();
  await enter(grace, company.server.local, room);
  await allows(ada);
  await ada.open(linkTo(company.server.local, room));
  await ada.reads(id('lobby-problem'), /may not use your camera and microphone\. Click the icon left of the address.*You can join without\./s);
  await ada.screenshot('lobby-refused-desktop');
  await ada.fill(id('name'), ada.name);
  await ada.click(id('enter-without'));
  for (const person of [ada, grace]) await meets(person, 1);
  await moves(ada, `${OTHERS} video`);
  assert.deepEqual(await ada.evaluate(() => Object.keys(/** @type {any} */ (window).talkie.tracks)), []);

  await ada.click(id('camera'));
  await ada.reads('#toasts', 'may not use your camera');
  await ada.click(id('mic'));
  await ada.reads('#toasts', 'may not use your microphone');
  await allows(ada, 'microphone');
  await shows(ada, 'mic', 'on');
  await hears(grace);
  assert.notEqual(await ada.attribute(id('camera'), 'data-state'), 'on');
  await allows(ada, 'microphone', 'camera');
  await shows(ada, 'camera', 'on');
  await moves(grace, `${OTHERS} video`);
  await goHome(ada, grace);
});

test('a camera that another program holds is told from one that is refused, and taken when it is free', async () => {
  const ada = await company.chromium('Ada');
  // In place of another program, which the browsers' fake cameras don't mind: fails as Chromium does then.
  await ada.page.addInitScript(() => {
    const devices = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    Object.assign(window, { cameraHeld: true });
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (wanted?.video && /** @type {any} */ (window).cameraHeld) throw new DOMException('Could not start video source', 'NotReadableError');
      return devices(wanted);
    };
  });
  await ada.open(linkTo(company.server.local, newRoom()));
  await ada.reads(id('lobby-problem'), /Another program seems to be using your camera\. Close the other program or tab.*You can join without\./s);
  await shows(ada, 'mic', 'on');
  await ada.evaluate(() => Object.assign(window, { cameraHeld: false }));
  await ada.click(id('camera'));
  await shows(ada, 'camera', 'on');
  await until('nothing is wrong any more', async () => (await ada.text(id('lobby-problem'))) === '');
  await goHome(ada);
});

test('Firefox says in its own words where to allow it', async () => {
  const refused = { 'media.navigator.permission.disabled': false, 'permissions.default.camera': 2, 'permissions.default.microphone': 2 };
  const mitchell = await company.firefox('Mitchell', { prefs: refused });
  await mitchell.open(linkTo(company.server.local, newRoom()));
  await mitchell.reads(id('lobby-problem'), /may not use your camera and microphone\. Click the crossed-out camera or microphone left of the address/);
  await mitchell.fill(id('name'), mitchell.name);
  await mitchell.click(id('enter'));
  await mitchell.sees(id('room'));
  assert.deepEqual(await mitchell.evaluate(() => Object.keys(/** @type {any} */ (window).talkie.tracks)), []);
  await goHome(mitchell);
});
