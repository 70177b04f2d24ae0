/**
 * Cameras, microphones and speakers: which there are, whether the page may use them, and a look and a
 * listen when that is wished.
 * @module
 */
import { refreshDevices, devices as listedDevices } from '../../media/device-list.js';
import { acquire, permission, unavailability } from '../../media/devices.js';
import { Level, loudness } from '../../media/level.js';
import { allProblems } from '../../media/problem-words.js';
import { Cleanup, h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {DeviceKind} from '../../media/device-list.js' */
/** @import {Words} from './verdict-view.js' */

const KINDS = /** @type {const} */ (['camera', 'mic', 'speaker']);
const LEVEL_EVERY_MS = 100;

/** @param {Words} words @param {() => void} permitted the browser may show more addresses now */
export function devicesView(words, permitted) {
  const cleanup = new Cleanup();
  const using = new Cleanup();
  const facts = h('dl', { class: 'facts-list', data: { testid: 'devices' } });
  const problems = h('div', { class: 'findings', role: 'status', data: { testid: 'device-problems' } });
  const video = h('video', { class: 'check-preview', autoplay: true, playsinline: true, hidden: true, 'aria-hidden': 'true', data: { testid: 'check-preview' } });
  video.muted = true;
  const meter = h('meter', { class: 'check-level', min: '0', max: '1', value: '0', hidden: true, 'aria-label': words.level, data: { testid: 'check-level' } });
  const button = h('button', { type: 'button', class: 'button', data: { testid: 'try-devices' } }, words.useDevices);
  let on = false;
  let gone = false;
  /** @type {Record<string, string>} */
  let captured = {};

  const stop = () => {
    on = false;
    using.run();
    video.hidden = meter.hidden = true;
    button.textContent = words.useDevices;
    captured = {};
    void draw();
  };
  const start = async () => {
    button.disabled = true;
    const { tracks, problems: found } = await acquire(['mic', 'camera']);
    button.disabled = false;
    for (const track of Object.values(tracks)) using.add(() => track.stop());
    if (gone) return using.run();
    problems.replaceChildren(...allProblems(found).map((text) => h('p', { class: 'finding', data: { severity: 'bad' } }, icon('warning'), h('span', {}, text))));
    on = Object.keys(tracks).length > 0;
    button.textContent = on ? words.stopDevices : words.useDevices;
    showCamera(tracks.camera ?? null, video, using);
    showLevel(tracks.mic ?? null, meter, using);
    captured = describe(words, tracks);
    await refreshDevices();
    await draw();
    if (on) permitted();
    return undefined;
  };
  const draw = async () => {
    const rows = await deviceFacts(words);
    facts.replaceChildren(...[...rows, ...Object.entries(captured)].flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)]));
  };
  button.addEventListener('click', () => void (on ? stop() : start()));
  const unavailable = unavailability();
  if (unavailable) problems.replaceChildren(...allProblems({ mic: unavailable, camera: unavailable }).map((text) => h('p', { class: 'finding', data: { severity: 'bad' } }, icon('warning'), h('span', {}, text))));
  cleanup.add(listedDevices.subscribe((list) => list, () => void draw()));
  void refreshDevices();
  const element = h('section', { class: 'card page-section' }, h('h2', {}, words.devices), h('p', { class: 'hint' }, words.devicesHint), h('div', { class: 'device-row' }, h('div', { class: 'device-facts' }, facts, problems, h('div', { class: 'button-row' }, button)), h('div', { class: 'device-look' }, video, meter)));
  return { element, dispose: () => ((gone = true), using.run(), cleanup.run()) };
}

/** @param {Words} words @returns {Promise<[string, string][]>} */
async function deviceFacts(words) {
  const t = words.permission;
  const states = await Promise.all([permission('camera'), permission('mic')]);
  const [camera, mic] = states.map((status) => (status ? t.states[status.state] : t.unknown));
  const list = listedDevices.get();
  return [
    ...KINDS.map((kind) => /** @type {[string, string]} */ ([words.kinds[kind], names(words, list[kind])])),
    [t.camera, camera ?? t.unknown],
    [t.mic, mic ?? t.unknown],
    [words.context, isSecureContext ? words.yes : words.no],
  ];
}

/** @param {Words} words @param {readonly {label: string}[]} list */
function names(words, list) {
  if (list.length === 0) return words.noDevice;
  return list.every(({ label }) => label === '') ? words.unnamed(list.length) : list.map(({ label }) => label || '–').join(', ');
}

/** @param {Words} words @param {Partial<Record<'mic'|'camera', MediaStreamTrack>>} tracks */
function describe(words, { camera, mic }) {
  const { width = 0, height = 0, frameRate = 0 } = camera?.getSettings() ?? {};
  const { sampleRate } = mic?.getSettings() ?? {};
  return { ...(camera && { [words.capture.camera]: words.picture(width, height, frameRate) }), ...(sampleRate && { [words.capture.mic]: words.sound(sampleRate) }) };
}

/** @param {MediaStreamTrack|null} track @param {HTMLVideoElement} video @param {Cleanup} using */
function showCamera(track, video, using) {
  video.hidden = track === null;
  video.srcObject = track && new MediaStream([track]);
  using.add(() => (video.srcObject = null));
}

/** @param {MediaStreamTrack|null} track @param {HTMLMeterElement} meter @param {Cleanup} using */
function showLevel(track, meter, using) {
  meter.hidden = track === null;
  if (!track) return;
  const level = new Level();
  level.use(track);
  const timer = setInterval(() => (meter.value = loudness(level.now)), LEVEL_EVERY_MS);
  using.add(() => (clearInterval(timer), level.close()));
}

/** For the report: how many, never their names. @returns {Record<string, number>} */
export function deviceCounts() {
  const list = listedDevices.get();
  return Object.fromEntries(KINDS.map((/** @type {DeviceKind} */ kind) => [kind, list[kind].length]));
}
