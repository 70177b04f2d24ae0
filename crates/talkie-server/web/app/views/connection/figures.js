/**
 * How it goes at this moment, in figures with their names: what is received and what is sent.
 * @module
 */
import { h } from '../../ui/dom.js';
import { text } from './charts.js';

/** @import {Sample, Flow, Shown} from '../../stats/sample.js' */
/** @import {Words} from './panel.js' */

/** @param {Words} t */
export function figures(t) {
  const element = h('dl', { class: 'figures', data: { testid: 'connection-figures' } });
  let shown = '';
  return {
    element,
    /** @param {Sample|undefined} sample */
    draw(sample) {
      const rows = sample ? rowsOf(t, sample) : [];
      const state = JSON.stringify(rows);
      if (state === shown) return;
      shown = state;
      element.replaceChildren(...rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
    },
  };
}

/** @param {Words} t @param {Sample} s @returns {(readonly [string, string])[]} */
function rowsOf(t, s) {
  const { figures: f, units: u } = t;
  return [
    [f.rtt, withUnit(t, s.rtt, u.ms)],
    [f.loss, bothWays(t, s.in.loss, s.out.loss, u.percent)],
    [f.jitter, bothWays(t, s.in.jitter, s.out.jitter, u.ms)],
    [f.buffer, withUnit(t, s.buffer, u.ms)],
    ...flowRows(t, f.received, s.in),
    ...flowRows(t, f.sent, s.out),
    [f.limited, limitation(t, s.out.screen ?? s.out.camera)],
    ...(s.available === null ? [] : [/** @type {const} */ ([f.available, withUnit(t, s.available, u.kbps)])]),
  ];
}

/** @param {Words} t @param {string} way @param {Flow} flow @returns {(readonly [string, string])[]} */
function flowRows(t, way, flow) {
  const { figures: f, units: u } = t;
  /** @type {(readonly [string, string])[]} */
  const rows = [[t.of(way, f.sound), [flow.audioCodec, withUnit(t, flow.audio, u.kbps)].filter(Boolean).join(' · ')]];
  for (const [name, picture] of /** @type {const} */ ([[f.camera, flow.camera], [f.screen, flow.screen]])) {
    if (picture) rows.push([t.of(way, name), pictureText(t, picture)]);
  }
  return rows;
}

/** @param {Words} t @param {Shown} p */
function pictureText(t, { codec, width, height, fps, kbps, freezes }) {
  const { figures: f, units: u } = t;
  return [codec, width && height && `${width} × ${height}`, fps !== null && withUnit(t, fps, u.fps), withUnit(t, kbps, u.kbps), freezes > 0 && `${f.freezes} ${freezes}`]
    .filter(Boolean)
    .join(' · ');
}

/** @param {Words} t @param {Shown|null} picture */
function limitation(t, picture) {
  if (!picture) return t.none;
  const told = picture.limitation ?? 'unknown';
  return Object.hasOwn(t.limitation, told) ? t.limitation[/** @type {keyof Words['limitation']} */ (told)] : told;
}

/** @param {Words} t @param {number|null} received @param {number|null} sent @param {string} unit */
const bothWays = (t, received, sent, unit) => `${t.pair(t.figures.received, withUnit(t, received, unit))} · ${t.pair(t.figures.sent, withUnit(t, sent, unit))}`;

/** @param {Words} t @param {number|null} value @param {string} unit */
const withUnit = (t, value, unit) => (value === null ? t.none : `${text(t, value)} ${unit}`);
