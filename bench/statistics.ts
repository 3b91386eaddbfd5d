/** What is made of repeated measurements. */

/** The median; of an even number the mean of the middle two, of none NaN. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Half the distance between the smallest and the largest value over the median: how far measurements scatter. */
export function scatter(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}

/**
 * Sum of the increases from each value to the next: what was allocated, where falls are a garbage collector's
 * work.
 */
export function totalIncrease(values: readonly number[]): number {
  let sum = 0;
  for (let i = 1; i < values.length; i++) sum += Math.max(0, values[i]! - values[i - 1]!);
  return sum;
}
