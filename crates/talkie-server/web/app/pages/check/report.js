/**
 * The report that people send to whoever helps them: what was seen, as JSON and as text. Credentials
 * never get in; one's own addresses only when that is wished. Pure.
 * @module
 */
import { addressFamily, addressKind } from '../candidate.js';

/** @import {Row} from './gather.js' */
/** @import {LegResult} from './verdict.js' */
/** @import {Measured} from './loopback.js' */

/**
 * @typedef {object} Seen
 * @property {string} at
 * @property {string} browser
 * @property {string} page
 * @property {string} verdict
 * @property {string[]} remarks
 * @property {readonly LegResult[]} legs
 * @property {readonly Row[]} rows
 * @property {readonly Measured[]} measured
 * @property {Record<string, string|number>} devices
 * @property {Record<string, boolean>} features
 * @property {string[]} codecs
 */

/** @param {Seen} seen @param {{addresses: boolean}} wish */
export function report({ legs, rows, measured, ...rest }, { addresses }) {
  const shown = (/** @type {string} */ address) => (addresses ? address : nature(address));
  return {
    ...rest,
    servers: legs.map(({ server, outcome, code, ms }) => ({ url: server.url, outcome, ...(code !== null && { code }), ms })),
    candidates: rows.flatMap((row) =>
      row.kind === 'candidate'
        ? [{ type: row.type, protocol: row.protocol, address: shown(row.address), ...(addresses && { port: row.port }), priority: row.priority, foundation: row.foundation, ms: row.ms, ...(row.relayProtocol && { relayProtocol: row.relayProtocol }), ...(row.url && { url: row.url }) }]
        : [],
    ),
    errors: rows.flatMap((row) => (row.kind === 'error' ? [{ code: row.code, text: row.text, url: row.url, ms: row.ms }] : [])),
    loopback: measured.map(({ url, connectMs, trips, audio, video, bytes, rate }) => ({ relay: url, connectMs, roundTripMs: trips, audio, video, bytes, megabitsPerSecond: rate })),
  };
}

/** What kind of address it is, without the address. @param {string} address */
function nature(address) {
  const family = addressFamily(address);
  return `${addressKind(address)}${family ? ` IPv${family}` : ''}`;
}

/** An indented outline of the same. @param {unknown} value @param {string} [indent] @returns {string} */
export function asText(value, indent = '') {
  if (typeof value !== 'object' || value === null) return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value);
  const entries = Array.isArray(value) ? value.map((item) => /** @type {const} */ (['-', item])) : Object.entries(value).map(([key, item]) => /** @type {const} */ ([`${key}:`, item]));
  if (entries.length === 0) return '–';
  return entries.map(([key, item]) => (isFlat(item) ? `${indent}${key} ${flat(item)}` : `${indent}${key}\n${asText(item, `${indent}  `)}`)).join('\n');
}

/** A record of plain values fits on a line. @param {unknown} item */
function isFlat(item) {
  return typeof item !== 'object' || item === null || Object.keys(item).length === 0 || (!Array.isArray(item) && Object.values(item).every((inner) => typeof inner !== 'object' || inner === null) && Object.keys(item).length <= 10);
}

/** @param {unknown} item */
function flat(item) {
  if (typeof item !== 'object' || item === null || Object.keys(item).length === 0) return asText(item);
  return Object.entries(item).map(([key, inner]) => `${key} ${asText(inner)}`).join(', ');
}
