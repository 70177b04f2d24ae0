/**
 * Settings, Sending: how much of the uplink is used, how large and how smooth the picture is, and which
 * codec. Says what comes of it in the call that is going on.
 * @module
 */
import { prefer, preferences } from '../../preferences.js';
import { allocate, DEFAULT_BUDGET } from '../../sending/allocate.js';
import { choices } from '../../sending/codecs.js';
import { locale, section } from '../../strings.js';
import { h } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';

/** @import {Preferences} from '../../preferences.js' */
/** @import {Cleanup} from '../../ui/dom.js' */
/** @import {MakeTab, SettingsApp} from './settings.js' */

const words = await section('sending');

const BUDGETS = [300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000];
const LINES = [180, 270, 360, 540, 720, 1080];

/** @param {number} kbit */
const rate = (kbit) => (kbit < 1000 ? words.kbit(Math.round(kbit)) : words.mbit((Math.round(kbit / 100) / 10).toLocaleString(locale())));

/** @type {MakeTab} */
export function sendingTab(app, cleanup) {
  const { maxBitrate, maxHeight, degradation, videoCodec } = preferences.get();
  return h(
    'div',
    { class: 'settings-tab', data: { testid: 'settings-sending' } },
    numberField('max-bitrate', words.budget, words.budgetHint, maxBitrate, (value) => prefer({ maxBitrate: value }), [
      [0, words.automatic(rate(DEFAULT_BUDGET / 1000))], ...withChosen(BUDGETS, maxBitrate).map((kbit) => /** @type {const} */ ([kbit, words.upTo(rate(kbit))])),
    ]),
    numberField('max-height', words.lines, words.linesHint, maxHeight, (value) => prefer({ maxHeight: value }), [
      [0, words.asCamera], ...withChosen(LINES, maxHeight).map((lines) => /** @type {const} */ ([lines, `${lines}p`])),
    ]),
    sharedNow(app, cleanup),
    selectField({
      label: words.degradation, hint: words.degradationHint, testid: 'degradation', value: degradation,
      choices: [['balanced', words.balanced], ['maintain-framerate', words.framerate], ['maintain-resolution', words.resolution]],
      change: (value) => prefer({ degradation: value }),
    }),
    selectField({
      label: words.codec, hint: words.codecHint, testid: 'video-codec', value: videoCodec,
      choices: choices(RTCRtpReceiver.getCapabilities('video')?.codecs ?? []).map((name) => /** @type {const} */ ([name, words.codecs[name]])),
      change: (value) => prefer({ videoCodec: value }),
    }),
  );
}

/** One that is set otherwise (an older version, the console) is not lost by looking. @param {number[]} all @param {number} chosen */
const withChosen = (all, chosen) => [...new Set([...all, ...(chosen ? [chosen] : [])])].sort((a, b) => a - b);

/**
 * @param {string} testid @param {string} label @param {string} hint @param {number} value
 * @param {(value: number) => void} change
 * @param {readonly (readonly [number, string])[]} list
 */
function numberField(testid, label, hint, value, change, list) {
  const all = list.map(([number, said]) => /** @type {const} */ ([String(number), said]));
  return selectField({ label, hint, testid, value: /** @type {string} */ (String(value)), choices: all, change: (chosen) => change(Number(chosen)) });
}

/** @param {SettingsApp} app @param {Cleanup} cleanup */
function sharedNow({ store }, cleanup) {
  const element = h('p', { class: 'hint', role: 'status', data: { testid: 'sending-share' } });
  const draw = () => {
    const { peers, media } = store.get();
    element.hidden = peers.length === 0;
    if (peers.length > 0) element.textContent = shareText(preferences.get(), peers.length, media.screen);
  };
  cleanup.add(store.subscribe((s) => `${s.peers.length} ${s.media.screen}`, draw));
  cleanup.add(preferences.subscribe((p) => `${p.maxBitrate} ${p.maxHeight}`, draw));
  return element;
}

/** @param {Readonly<Preferences>} p @param {number} peers @param {boolean} screen */
function shareText({ maxBitrate, maxHeight }, peers, screen) {
  const { camera } = allocate({ peers, budget: maxBitrate * 1000, maxHeight, screen, screenAudio: false });
  return camera.active ? words.share(peers, rate(camera.maxBitrate / 1000), camera.lines ?? 0) : words.shareNothing(peers);
}
