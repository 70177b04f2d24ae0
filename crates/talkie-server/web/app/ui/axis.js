/**
 * Where a chart's axis ends. Pure.
 * @module
 */

/**
 * The least round number that is not below the value.
 * @param {number} value above 0, else the end is 1
 * @param {readonly number[]} [steps] of each power of ten
 */
export function axisEnd(value, steps = [1, 2, 5, 10]) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  // A hair above a step is rounding, not a reason for twice the axis.
  return power * (steps.find((step) => step * power >= value * 0.999) ?? 10);
}
