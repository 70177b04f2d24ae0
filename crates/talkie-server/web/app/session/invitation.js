/**
 * By which address others find the room. A page at localhost has one that leads others to their own
 * machine; then the server says a better one, if it has any. Pure.
 * @module
 */

/** @import {Invitation} from '../types.js' */

/** @param {Record<string, unknown>} welcome @returns {Invitation} */
export function readInvitation({ origin, selfSigned }) {
  return { origin: isHttpsOrigin(origin) ? origin : null, selfSigned: selfSigned === true };
}

/** @param {unknown} origin @returns {origin is string} */
function isHttpsOrigin(origin) {
  return typeof origin === 'string' && origin.startsWith('https://') && URL.canParse(origin) && new URL(origin).origin === origin;
}

/**
 * The room's link for others: with its key, and none of the flags that this page was opened with.
 * @param {{room: string, key: string|null, invitation: Invitation|null}} where
 * @param {string} own the page's origin
 */
export function linkForOthers({ room, key, invitation }, own) {
  return `${invitation?.origin ?? own}/r/${encodeURIComponent(room)}${key ? `#${key}` : ''}`;
}

/**
 * What somebody should know before they send the link.
 * @param {Invitation|null} invitation
 * @param {string} hostname the page's
 * @returns {'onlyHere'|'selfSigned'|null} onlyHere: the link works on this machine alone
 */
export function linkCaution(invitation, hostname) {
  if (!invitation) return null;
  if (!invitation.origin && isLoopback(hostname)) return 'onlyHere';
  return invitation.selfSigned ? 'selfSigned' : null;
}

/** @param {string} hostname as a URL has it */
function isLoopback(hostname) {
  return /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
