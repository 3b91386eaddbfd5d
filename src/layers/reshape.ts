/**
 * Another shape for the same elements in row-major order (channels last, then columns, then rows).
 *   input any shape, output targetShape: [H, W, C], [L, C] or [F]
 * Nothing is moved, unless the input is part of a larger tensor or the output needs zeros around.
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import { elementCount, formatShape, type Shape } from '../tensor/shape.ts';
import { defineLayer } from './layer.ts';

export interface ReshapeOptions {
  /** One to three extents, without the batch; one of them may be -1: what is left of the elements. */
  readonly targetShape: readonly number[];
}

function checkTarget(operation: string, targetShape: readonly number[]): readonly number[] {
  const isExtent = (extent: unknown) => Number.isInteger(extent) && ((extent as number) > 0 || extent === -1);
  const right =
    Array.isArray(targetShape) &&
    targetShape.length >= 1 &&
    targetShape.length <= 3 &&
    targetShape.every(isExtent) &&
    targetShape.filter((extent) => extent === -1).length <= 1;
  if (right) return [...targetShape];
  throw new ConfigError({
    operation,
    argument: 'targetShape',
    expected: 'one to three positive integers, at most one of them -1',
    received: formatValue(targetShape),
  });
}

/**
 * The elements in another shape. Option as in Keras: targetShape, which may hold one -1.
 * Throws ConfigError for what is no shape, ShapeError where it has another number of elements than the input.
 */
export const reshape = defineLayer<ReshapeOptions, ReshapeOptions>({
  type: 'reshape',
  resolve: ({ targetShape }, operation) => ({ targetShape: checkTarget(operation, targetShape) }),
  outputShape({ targetShape }, [input], operation): Shape {
    const elements = elementCount(input!);
    const known = targetShape
      .filter((extent) => extent !== -1)
      .reduce((product, extent) => product * extent, 1);
    const isOpen = targetShape.includes(-1);
    if (isOpen ? elements % known === 0 : elements === known) {
      return targetShape.map((extent) => (extent === -1 ? elements / known : extent));
    }
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `${isOpen ? 'a multiple of ' : ''}${known} elements, for ${formatShape(targetShape)}`,
      received: `${formatShape(input!)}, ${elements} elements`,
    });
  },
  reshape: true,
  examples: [
    { options: { targetShape: [2, 6, 2] }, inputShape: [3, 4, 2] },
    { options: { targetShape: [4, -1] }, inputShape: [2, 2, 3] },
    { options: { targetShape: [-1, 1, 3] }, inputShape: [12] },
    { options: { targetShape: [-1] }, inputShape: [5, 2] },
  ],
});
