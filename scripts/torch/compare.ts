/** How far results are from PyTorch's float64, in units of how far PyTorch's own float32 is. */

/** |a - b| in the Euclidean norm. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(squares);
}

/** The classes of the largest five of `logits`, the largest first. */
export function largestFive(logits: ArrayLike<number>): number[] {
  return Array.from(logits, (_, i) => i)
    .sort((a, b) => logits[b]! - logits[a]!)
    .slice(0, 5);
}

/** Of each image the largest five, for logits [N, classes]. */
export function largestFives(logits: Float32Array | Float64Array, images: number): number[][] {
  const classes = logits.length / images;
  return Array.from({ length: images }, (_, n) =>
    largestFive(logits.subarray(n * classes, (n + 1) * classes)),
  );
}
