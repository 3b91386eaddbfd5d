/** Integer products that cannot silently lose digits: sizes and strides of untrusted shapes. */
import { ShapeError } from '../errors.ts';

/**
 * The product of non-negative integers, 1 for none.
 * Throws ShapeError where a factor is not one, or the product exceeds 2^53-1.
 */
export function checkedProduct(operation: string, argument: string, factors: readonly number[]): number {
  let product = 1;
  let safe = true;
  let zero = false;
  for (const factor of factors) {
    if (!Number.isSafeInteger(factor) || factor < 0) {
      throw new ShapeError({
        operation,
        argument,
        expected: 'non-negative integers',
        received: `[${factors.join(', ')}]`,
      });
    }
    product *= factor;
    safe &&= Number.isSafeInteger(product);
    zero ||= factor === 0;
  }
  if (zero) return 0;
  if (!safe) {
    throw new ShapeError({
      operation,
      argument,
      expected: `a product of at most ${Number.MAX_SAFE_INTEGER}`,
      received: `[${factors.join(', ')}]`,
    });
  }
  return product;
}
