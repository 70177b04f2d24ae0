// What people do together in a room of talkie's web app.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { id } from './person.mjs';
import { until } from './until.mjs';

/** @typedef {import('./person.mjs').Person} Person */

/** The others' tiles. */
export const OTHERS = '[data-testid="tile"][data-self="false"][data-kind="camera"]';
export const OTHERS_SCREEN = '[data-testid="tile"][data-self="false"][data-kind="screen"]';
export const OWN = '[data-testid="tile"][data-self="true"][data-kind="camera"]';

/** A key as the web app makes it: 128 bits that only the link carries. */
const KEY = randomBytes(16).toString('base64url');

/** A room's whole link. @param {string} server @param {string} room */
export const linkTo = (server, room) => `${server}/r/${room}#${KEY}`;

let rooms = 0;

/** A room that no other test has. */
export const newRoom = () => `room-${process.pid}-${++rooms}`;

/**
 * Goes straight into the room, without a stop in the lobby.
 * @param {Person} person
 * @param {string} server its address
 * @param {string} room
 * @param {string} [query] such as `relay&transport=tcp`
 */
export async function enter(person, server, room, query = '') {
  const name = encodeURIComponent(person.name);
  await person.open(`${server}/r/${room}?join&name=${name}${query && '&'}${query}#${KEY}`);
  await person.sees(id('room'));
}

/** Waits until the person is connected to so many others. @param {Person} person @param {number} others */
export async function meets(person, others) {
  await until(`${person.name} is connected to ${others}`, async () => {
    const states = await person.evaluate(
      (s) => [...document.querySelectorAll(s)].map((tile) => /** @type {HTMLElement} */ (tile).dataset.state),
      OTHERS,
    );
    if (states.length === others && states.every((state) => state === 'connected')) return true;
    throw new Error(`the tiles say ${JSON.stringify(states)}`);
  });
}

/** @param {Person} person @param {'chat' | 'files'} panel */
export async function openPanel(person, panel) {
  const open = await person.attribute(id(panel), 'aria-expanded');
  if (open !== 'true') await person.click(id(panel));
}

/** @param {Person} person @param {string} text */
export async function say(person, text) {
  await openPanel(person, 'chat');
  await person.fill(id('chat-input'), text);
  await person.click(id('chat-send'));
}

/** @param {Person} person @param {string} text */
export async function readsInChat(person, text) {
  await openPanel(person, 'chat');
  await person.reads(id('chat-log'), text);
}

/**
 * Sends a file of random bytes, lets the other accept and save it, and compares what was saved.
 * @param {Person} from
 * @param {Person} to
 * @param {number} bytes
 */
export async function handsOver(from, to, bytes) {
  const folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-file-'));
  try {
    const name = `letter-${rooms}-${bytes}.bin`;
    const content = randomBytes(bytes);
    const path = join(folder, name);
    await writeFile(path, content);
    await openPanel(from, 'files');
    await from.choose(id('file-input'), path);

    const incoming = '[data-testid="file"][data-direction="in"]';
    // An offer opens the panel by itself.
    await to.click(`${incoming} ${id('file-accept')}`);
    const patience = 120_000;
    await until(
      `${to.name} has the file`,
      async () => {
        const state = await to.attribute(incoming, 'data-state');
        if (state === 'done') return true;
        throw new Error(`${state}, ${await to.text(`${incoming} ${id('file-words')}`)}`);
      },
      { patience },
    );
    const saved = await to.save(`${incoming} ${id('file-save')}`, name, bytes);
    if (digest(await readFile(saved)) !== digest(content)) throw new Error('the file arrived damaged');
    await until(`${from.name} is told that it arrived`, async () => {
      return (await from.attribute('[data-testid="file"][data-direction="out"]', 'data-state')) === 'done';
    });
    await rm(saved);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {Buffer} bytes */
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
