// Recording the call: the others are told, and the file really plays: pictures that change, also while the
// tab is not in front, and everybody's sound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { brings } from '../harness/own-media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** What each of them sounds like, in Hz, and what nobody does. */
const NOTES = { Ada: 500, Grace: 700, Joan: 900 };
const NOBODYS = 1100;

/** Without a dialog for the place, which nobody could answer here; and keeps what is saved. @param {Person} person */
const keepWhatIsSaved = (person) =>
  person.evaluate(() => {
    delete (/** @type {any} */ (window).showSaveFilePicker);
    const address = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (file) => {
      Object.assign(window, { talkieFile: file });
      return address(file);
    };
    document.addEventListener('click', (event) => {
      const link = event.target;
      if (!(link instanceof HTMLAnchorElement) || !link.download) return;
      event.preventDefault();
      Object.assign(window, { talkieSaved: { name: link.download, address: link.href } });
    });
  });

/** What was saved, as a data: address. @param {Person} person @returns {Promise<{name: string, data: string}>} */
const saved = (person) =>
  person.evaluate(async () => {
    const { talkieFile, talkieSaved } = /** @type {any} */ (window);
    const reader = new FileReader();
    await new Promise((resolve) => {
      reader.onload = resolve;
      reader.readAsDataURL(talkieFile);
    });
    return { name: talkieSaved.name, data: String(reader.result) };
  });

/**
 * Plays a recording and says what is in it. In Chromium, whoever made it: a file is for others too, and
 * Firefox plays one of its own but shows the same picture wherever one goes in it while it stands still.
 * @param {Person} person
 * @param {string} recording
 */
const played = (person, recording) =>
  person.evaluate(async ({ data, notes }) => {
    const bytes = Uint8Array.from(atob(data.slice(data.indexOf(',') + 1)), (one) => one.charCodeAt(0));
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes]));
    await new Promise((resolve, reject) => {
      video.onloadedmetadata = resolve;
      video.onerror = () => reject(new Error(`it does not play: ${video.error?.message}`));
    });
    // A file that was written while it was made says its length only at its end.
    video.currentTime = 1e7;
    await new Promise((resolve) => (video.onseeked = resolve));
    const duration = Number.isFinite(video.duration) ? video.duration : video.currentTime;
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    const pictures = [];
    for (const at of [0.3, 0.5, 0.7, 0.9]) {
      video.currentTime = duration * at;
      await new Promise((resolve) => (video.onseeked = resolve));
      drawing.drawImage(video, 0, 0, 64, 36);
      const { data } = drawing.getImageData(0, 0, 64, 36);
      const halves = [0, 0];
      for (let pixel = 0; pixel < data.length; pixel += 4) halves[(pixel / 4) % 64 < 32 ? 0 : 1] += data[pixel] + data[pixel + 1] + data[pixel + 2];
      pictures.push(halves);
    }
    const context = new AudioContext();
    const sound = await context.decodeAudioData(bytes.buffer);
    const samples = sound.getChannelData(0);
    // How much of the whole is this note: one bin of a Fourier transform.
    const energies = notes.map((note) => {
      const turn = (2 * Math.PI * note) / sound.sampleRate;
      let [real, imaginary] = [0, 0];
      samples.forEach((sample, at) => {
        real += sample * Math.cos(turn * at);
        imaginary += sample * Math.sin(turn * at);
      });
      return (real * real + imaginary * imaginary) / samples.length ** 2;
    });
    await context.close();
    return { duration, width: video.videoWidth, pictures, energies };
  }, { data: recording, notes: [...Object.values(NOTES), NOBODYS] });

/** @param {Person} person @param {string} testid */
const press = (person, testid) => person.evaluate((one) => /** @type {HTMLElement} */ (document.querySelector(one)).click(), id(testid));

/** For how many seconds it goes on already. @param {Person} person */
async function recorded(person) {
  const [minutes = 0, seconds = 0] = (await person.text(id('recording'))).split(':').map(Number);
  return minutes * 60 + seconds;
}

/** @param {Person} person @param {number} seconds at least */
async function records(person, seconds) {
  await until(`${person.name} has recorded ${seconds} s`, async () => (await recorded(person)) >= seconds);
  return recorded(person);
}

/** Another tab in front of somebody's, until it is closed. @param {Person} person */
async function hidden(person) {
  const front = await person.page.browser().newPage();
  await front.bringToFront();
  await until(`${person.name}'s tab is hidden`, () => person.evaluate(() => document.visibilityState === 'hidden'));
  return front;
}

for (const browser of /** @type {const} */ (['chromium', 'firefox'])) {
  test(`a recording in ${browser} plays, and the others know of it`, async () => {
    // Small windows: the recording has a size of its own, and drawing is dear without a graphics card.
    const small = { context: { viewport: { width: 480, height: 360 } } };
    const ada = await (browser === 'chromium' ? company.tabbed('Ada') : company.firefox('Ada'));
    await ada.page.setViewport(small.context.viewport);
    const [grace, joan] = [await company.chromium('Grace', small), await company.chromium('Joan', small)];
    const room = newRoom();
    for (const person of [ada, grace, joan]) await enter(await brings(person, { note: NOTES[/** @type {keyof typeof NOTES} */ (person.name)] }), company.server.local, room);
    for (const person of [ada, grace, joan]) await meets(person, 2);
    await moves(ada, `${OTHERS} video`);
    await keepWhatIsSaved(ada);
    await press(ada, 'more');
    await press(ada, 'record');
    await ada.sees(id('recording'));
    await grace.sees(`${OTHERS} ${id('tile-recording')}`);
    await grace.reads(id('toast'), 'Ada is recording this call');
    await records(ada, 2);
    // People come and go, and another tab is in front; it goes on.
    await grace.page.close();
    await until('Grace is gone', async () => (await ada.count(OTHERS)) === 1);
    const front = await hidden(ada);
    const seconds = await records(ada, (await recorded(ada)) + 6);
    await front.close();
    await press(ada, 'leave');
    await until('the recording is saved', () => ada.evaluate(() => Boolean(/** @type {any} */ (window).talkieSaved)));
    const { name, data } = await saved(ada);
    const viewer = await company.chromium('Joan', small);
    await viewer.open(company.server.local);
    const file = await played(viewer, data);
    assert.match(name, /^room-\S+ \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.(webm|mp4)$/);
    assert.ok(file.duration > seconds - 4 && file.duration < seconds + 20, `${file.duration} s of ${seconds}`);
    assert.equal(file.width, 1280);
    const silence = Number(file.energies.at(-1));
    assert.ok(file.energies.slice(0, -1).every((energy) => energy > 1e-7 && energy > 100 * silence), `energies ${file.energies}`);
    const sums = file.pictures.map(([left = 0, right = 0]) => left + right);
    assert.ok(sums.every((sum) => sum > 10_000), `pictures ${sums}`);
    assert.equal(new Set(sums).size, sums.length, `pictures ${sums}`);
    await goHome(ada, joan, viewer);
  });
}
