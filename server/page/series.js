// From points to curves.

const NUMBERS = /** @type {Record<string, number>} */ ({ nan: NaN, inf: Infinity, '-inf': -Infinity });

/** A number that can be drawn; null leaves a gap. @param {any} value @returns {number | null} */
export function yOf(value) {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** @param {any} value @returns {number} */
function xOf(value) {
  if (typeof value === 'number') return value;
  return typeof value?.$null === 'string' ? NUMBERS[value.$null] ?? NaN : NaN;
}

/**
 * The points that have a field, in the order of x, and their x.
 * @param {any[]} points
 * @param {string} by step, elapsed, ts, or "=" and a field
 * @param {string} field
 * @param {number} started
 */
export function xsOf(points, by, field, started) {
  const name = by === 'elapsed' ? 'ts' : by.replace(/^=/, '');
  const known = points.filter((point) => point[field] !== undefined && point[field] !== null);
  const offset = by === 'elapsed' ? started : 0;
  const pairs = /** @type {[number, any][]} */ (known.map((point) => [xOf(point[name]) - offset, point])).filter(([x]) => Number.isFinite(x));
  if (pairs.length === 0 && known.length > 0) return { xs: known.map((_, place) => place), points: known, isCounted: true };
  if (pairs.some(([x], place) => place > 0 && x < pairs[place - 1][0])) pairs.sort((a, b) => a[0] - b[0]);
  return { xs: pairs.map(([x]) => x), points: pairs.map(([, point]) => point), isCounted: false };
}

/**
 * The moving mean of all before, in which each weighs less the longer ago it was.  It starts at
 * the first value, not at nought.
 * @param {(number | null)[]} values
 * @param {number} factor 0 leaves them as they are
 */
export function smooth(values, factor) {
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * factor + value * (1 - factor);
    weight = weight * factor + (1 - factor);
    return sum / weight;
  });
}
