// Waiting for a condition instead of for a time.

export const PATIENCE = 45_000;

/**
 * Asks until the answer is true, and tells what was seen last when it never becomes so.
 * @template T
 * @param {string} what what is waited for, in words
 * @param {() => Promise<T> | T} ask
 * @param {{patience?: number, every?: number}} [options]
 * @returns {Promise<T>} the first answer that is true
 */
export async function until(what, ask, { patience = PATIENCE, every = 100 } = {}) {
  const deadline = Date.now() + patience;
  /** @type {unknown} */
  let seen;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      seen = answer;
    } catch (error) {
      if (/** @type {any} */ (error).fatal) throw error;
      seen = error;
    }
    if (Date.now() > deadline) {
      const last = seen instanceof Error ? seen.message : JSON.stringify(seen);
      throw new Error(`waited ${patience / 1000} s in vain until ${what}; last seen: ${last}`);
    }
    await new Promise((wake) => setTimeout(wake, every));
  }
}
