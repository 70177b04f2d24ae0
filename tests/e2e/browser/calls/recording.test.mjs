// Recording the call: the others are told, and the file really plays: pictures that change, sound with energy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, OTHERS } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();

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
  person.evaluate(async (data) => {
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
    const energy = sound.getChannelData(0).reduce((sum, sample) => sum + sample * sample, 0) / sound.length;
    await context.close();
    return { duration, width: video.videoWidth, pictures, energy };
  }, recording);

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

for (const browser of /** @type {const} */ (['chromium', 'firefox'])) {
  test(`a recording in ${browser} plays, and the others know of it`, async () => {
    // Small windows: the recording has a size of its own, and drawing is dear without a graphics card.
    const small = { context: { viewport: { width: 480, height: 360 } } };
    const ada = await company[browser]('Ada', small);
    const grace = await company.chromium('Grace', small);
    const room = newRoom();
    await enter(ada, company.server.local, room);
    await enter(grace, company.server.local, room);
    for (const person of [ada, grace]) await meets(person, 1);
    await moves(ada, `${OTHERS} video`);
    await keepWhatIsSaved(ada);
    await press(ada, 'more');
    await press(ada, 'record');
    await ada.sees(id('recording'));
    await grace.sees(`${OTHERS} ${id('tile-recording')}`);
    await grace.reads(id('toast'), 'Ada is recording this call');
    await records(ada, 4);
    // People come and go; it goes on.
    await grace.page.close();
    await until('Grace is gone', async () => (await ada.count(OTHERS)) === 0);
    const seconds = await records(ada, (await recorded(ada)) + 4);
    await press(ada, 'leave');
    await until('the recording is saved', () => ada.evaluate(() => Boolean(/** @type {any} */ (window).talkieSaved)));
    const { name, data } = await saved(ada);
    const viewer = await company.chromium('Joan', small);
    await viewer.open(company.server.local);
    const file = await played(viewer, data);
    assert.match(name, /^room-\S+ \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.(webm|mp4)$/);
    assert.ok(file.duration > seconds - 4 && file.duration < seconds + 20, `${file.duration} s of ${seconds}`);
    assert.equal(file.width, 1280);
    assert.ok(file.energy > 1e-7, `energy ${file.energy}`);
    const sums = file.pictures.map(([left = 0, right = 0]) => left + right);
    assert.ok(sums.every((sum) => sum > 10_000), `pictures ${sums}`);
    assert.ok(new Set(sums).size > 1, `pictures ${sums}`);
    await goHome(ada, viewer);
  });
}
