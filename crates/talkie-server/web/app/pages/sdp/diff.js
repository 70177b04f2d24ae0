/**
 * The difference of two texts by lines (Myers' O(ND), bounded). Pure.
 * @module
 */

/** @typedef {{kind: 'same'|'removed'|'added', text: string}} Row */

/** Beyond this many differences the two have little in common; then one stands below the other. */
const MAX_DISTANCE = 1200;

/** @param {readonly string[]} before @param {readonly string[]} after @returns {Row[]} */
export function diff(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const a = before.slice(start, before.length - end);
  const b = after.slice(start, after.length - end);
  return [...rows('same', before.slice(0, start)), ...middle(a, b), ...rows('same', end ? before.slice(-end) : [])];
}

/**
 * Long stretches without a difference as one, with some lines left around each difference.
 * @param {readonly Row[]} all
 * @param {number} [around]
 * @returns {(Row|{kind: 'folded', rows: Row[]})[]}
 */
export function folded(all, around = 3) {
  /** @type {(Row|{kind: 'folded', rows: Row[]})[]} */
  const shown = [];
  for (let at = 0; at < all.length; ) {
    let end = at;
    while (all[end]?.kind === 'same') end += 1;
    const [from, to] = [at === 0 ? 0 : at + around, end === all.length ? end : end - around];
    // A button in the place of fewer lines would save nothing.
    const worth = to - from > 2 && to - from < all.length;
    if (worth) shown.push(...all.slice(at, from), { kind: 'folded', rows: all.slice(from, to) }, ...all.slice(to, end));
    else shown.push(...all.slice(at, end));
    for (; end < all.length && all[end]?.kind !== 'same'; end += 1) shown.push(/** @type {Row} */ (all[end]));
    at = end;
  }
  return shown;
}

/** @param {Row['kind']} kind @param {readonly string[]} lines */
const rows = (kind, lines) => lines.map((text) => ({ kind, text }));

/** @param {readonly string[]} a @param {readonly string[]} b @returns {Row[]} */
function middle(a, b) {
  const trace = furthest(a, b);
  if (!trace) return [...rows('removed', a), ...rows('added', b)];
  /** @type {Row[]} */
  const found = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d > 0; d -= 1) {
    const reach = /** @type {Map<number, number>} */ (trace[d - 1]);
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = reach.get(from) ?? 0;
    const fromY = fromX - from;
    while (x > fromX && y > fromY) found.push({ kind: 'same', text: a[(x -= 1, y -= 1, x)] ?? '' });
    if (down) found.push({ kind: 'added', text: b[(y -= 1)] ?? '' });
    else found.push({ kind: 'removed', text: a[(x -= 1)] ?? '' });
  }
  while (x > 0 && y > 0) found.push({ kind: 'same', text: a[(x -= 1, y -= 1, x)] ?? '' });
  return found.reverse();
}

/** How far each diagonal reaches with 0, 1, 2 … differences. @param {readonly string[]} a @param {readonly string[]} b */
function furthest(a, b) {
  /** @type {Map<number, number>[]} */
  const trace = [];
  /** @type {Map<number, number>} */
  let reach = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_DISTANCE); d += 1) {
    /** @type {Map<number, number>} */
    const next = new Map();
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? reach.get(k + 1) ?? 0 : (reach.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1];
      next.set(k, x);
      if (x >= a.length && y >= b.length) return [...trace, next];
    }
    trace.push(next);
    reach = next;
  }
  return null;
}
