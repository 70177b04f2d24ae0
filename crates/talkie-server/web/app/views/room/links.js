/**
 * Links in what people write. Only what is plainly a web address becomes one; it is shown as it was
 * written, in full, so that nobody is led elsewhere than it says. Nothing is ever fetched. Pure.
 * @module
 */

/** @typedef {{text: string, href?: string}} Piece */

const CANDIDATE = /\bhttps?:\/\/[^\s<>"'`{}|\\^]+/giu;
/** What ends a sentence is seldom the end of an address. */
const TRAILING = /[.,;:!?…。，；：！？、）」』】》]+$/u;
const LINKS_AT_MOST = 50;

/** @param {string} text @returns {Piece[]} */
export function splitLinks(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    if (pieces.length >= 2 * LINKS_AT_MOST) break;
    const shown = withoutTail(match[0]);
    const href = webAddress(shown);
    if (!href) continue;
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) });
    pieces.push({ text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** @param {string} found */
function withoutTail(found) {
  let shown = found.replace(TRAILING, '');
  // A bracket belongs to the address when it was opened in it.
  while (shown.endsWith(')') && !shown.includes('(')) shown = shown.slice(0, -1).replace(TRAILING, '');
  return shown;
}

/** @param {string} shown @returns {string|null} */
function webAddress(shown) {
  try {
    const url = new URL(shown);
    // `https://bank.example@evil.example` reads as a link to the bank.
    if (url.username || url.password || !url.hostname) return null;
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * The host as the browser will ask for it, when that is not how it was written: letters that look like
 * others are told apart so.
 * @param {Piece} piece
 * @returns {string|null}
 */
export function trueHost({ text, href }) {
  if (!href) return null;
  const { hostname } = new URL(href);
  return text.toLowerCase().includes(hostname) ? null : hostname;
}
