/**
 * Medians and their like. Pure.
 * @module
 */

/**
 * What a share of the values is not above; between two of them in proportion.
 * @param {readonly number[]} values at least one, in any order
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
