/**
 * How an interrupted offer finds its other end again over a new channel: see the head of protocol.js.
 * Each side proves itself before it believes anything.
 * @module
 */
import { prove, same } from './proof.js';
import { randomHex } from './protocol.js';

/** @import {Prints} from './proof.js' */
/** @import {FileMessage} from './protocol.js' */
/** @import {Wire} from './wire.js' */
/** @typedef {{id: string, token: string}} Secret */

const PATIENCE_MS = 20_000;

/**
 * The next message, or null when something else comes, or nothing.
 * @template {FileMessage['type']} T
 * @param {Wire} wire
 * @param {T} type
 * @returns {Promise<Extract<FileMessage, {type: T}>|null>}
 */
function next(wire, type) {
  return new Promise((resolve) => {
    const done = (/** @type {any} */ message) => {
      clearTimeout(timer);
      wire.listen(null);
      resolve(message);
    };
    const timer = setTimeout(() => done(null), PATIENCE_MS);
    wire.listen({ message: (message) => done(message.type === type ? message : null), chunk: () => done(null), garbage: () => done(null), closed: () => done(null) });
  });
}

/**
 * The sender's part.
 * @param {Wire} wire open
 * @param {Secret} offer
 * @param {Prints} prints
 * @returns {Promise<number|null>} what the receiver has; null: it is not the one
 */
export async function greet(wire, { id, token }, prints) {
  const asked = randomHex(16);
  wire.tell({ type: 'again', id, nonce: asked });
  const known = await next(wire, 'known');
  if (!known) return null;
  const context = { id, asked, answered: known.nonce, prints };
  if (!same(known.proof, await prove(token, 'receiver', context))) return null;
  const at = next(wire, 'at');
  wire.tell({ type: 'prove', proof: await prove(token, 'sender', context) });
  return (await at)?.bytes ?? null;
}

/**
 * The receiver's part, after `again` came.
 * @param {Wire} wire
 * @param {Secret} offer
 * @param {string} asked the sender's nonce
 * @param {Prints} prints
 * @returns {Promise<boolean>} whether it is the sender
 */
export async function answer(wire, { id, token }, asked, prints) {
  const answered = randomHex(16);
  const context = { id, asked, answered, prints };
  const proof = await prove(token, 'receiver', context);
  const proved = next(wire, 'prove');
  wire.tell({ type: 'known', nonce: answered, proof });
  const their = await proved;
  return their !== null && same(their.proof, await prove(token, 'sender', context));
}
