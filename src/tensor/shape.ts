/** Shapes: lists of non-negative integers, written `[32, 32, 3]`; activations are `[N, H, W, C]`. */
import { formatValue, ShapeError } from '../errors.ts';

/** The extents of a tensor, outermost first. */
export type Shape = readonly number[];

/** Largest element count of a tensor: 2^30 floats are 4 GiB, WebAssembly's limit for one memory. */
export const MAX_ELEMENTS = 2 ** 30;

/** `[32, 32, 3]` as text. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Product of the extents; 1 for `[]`. Throws ShapeError beyond `MAX_ELEMENTS`. */
export function elementCount(shape: Shape): number {
  const count = product(shape);
  if (count > MAX_ELEMENTS) throw tooLarge('tensor', formatShape(shape), count);
  return count;
}

function product(shape: Shape): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

function tooLarge(operation: string, argument: string, count: number): ShapeError {
  const expected = `at most ${MAX_ELEMENTS} elements`;
  return new ShapeError({ operation, argument, expected, received: String(count) });
}

/** What shapes of layers are, by their number of extents. */
const KINDS: Readonly<Record<number, string>> = { 2: 'a sequence [L, C], ', 3: 'an image [H, W, C], ' };

/** Throws ShapeError unless `shape` has `rank` extents, each a positive integer, and at most `MAX_ELEMENTS` elements. */
export function checkShape(operation: string, argument: string, shape: Shape, rank?: number): void {
  const right =
    Array.isArray(shape) &&
    (rank === undefined || shape.length === rank) &&
    shape.every((extent) => Number.isInteger(extent) && extent > 0);
  if (!right) {
    const what = rank === undefined ? 'positive integers' : `${KINDS[rank] ?? ''}${rank} positive integers`;
    throw new ShapeError({ operation, argument, expected: what, received: formatValue(shape) });
  }
  const count = product(shape);
  if (count > MAX_ELEMENTS) throw tooLarge(operation, `${argument} ${formatShape(shape)}`, count);
}

/** Throws ShapeError unless `shape` is an image's, a sequence's or a vector's. */
export function checkInputShape(operation: string, argument: string, shape: Shape): void {
  checkShape(operation, argument, shape);
  if (shape.length >= 1 && shape.length <= 3) return;
  throw new ShapeError({
    operation,
    argument,
    expected: '[H, W, C], [L, C] or [F]',
    received: formatShape(shape),
  });
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}
