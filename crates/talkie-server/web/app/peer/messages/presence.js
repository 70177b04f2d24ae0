/**
 * `state`: what somebody has switched on, whether the hand is up, and whether they record.
 * @module
 */

/**
 * `hand`: for how many milliseconds the hand has been up, null when it is down. An age and not a time,
 * because clocks differ.
 * @typedef {{type: 'state', mic: boolean, camera: boolean, screen: boolean, held: boolean, hand: number|null, recording: boolean}} PresenceMessage
 */

const DAY_MS = 86_400_000;

export const presenceMessages = {
  /** @param {any} raw @returns {PresenceMessage} */
  state: (raw) => ({
    type: 'state',
    mic: raw.mic === true,
    camera: raw.camera === true,
    screen: raw.screen === true,
    held: raw.held === true,
    hand: typeof raw.hand === 'number' && raw.hand >= 0 ? Math.min(raw.hand, DAY_MS) : null,
    recording: raw.recording === true,
  }),
};

/**
 * When a hand went up, by our clock. Nobody gets to the front of the queue by claiming an age: a hand
 * cannot have gone up before we were last told that it is down.
 * @param {number|null} age as the peer says it
 * @param {number|null} known when it went up, as far as we knew
 * @param {number} downAt when we last knew it to be down; 0 for somebody who was there before us
 * @param {number} now
 * @returns {number|null}
 */
export function handRaisedAt(age, known, downAt, now) {
  if (age === null) return null;
  return known ?? Math.max(now - age, downAt);
}

/**
 * The place of each raised hand, first up first.
 * @param {readonly {key: string, hand: number|null}[]} people
 * @returns {Map<string, number>} from 1
 */
export function handOrder(people) {
  const up = people.filter((one) => one.hand !== null).sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0));
  return new Map(up.map((one, at) => [one.key, at + 1]));
}
