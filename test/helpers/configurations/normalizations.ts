/** Random configurations of normalisations. */
import fc from 'fast-check';
import { batchNormalization } from '../../../src/layers/index.ts';
import { configurationsOf, shapes } from './draw.ts';

export const batchNormalizationConfigurations = configurationsOf(
  fc.tuple(
    shapes,
    fc.record({
      epsilon: fc.constantFrom(1e-5, 1e-3, 0.5),
      momentum: fc.constantFrom(0, 0.9, 0.99, 1),
      center: fc.boolean(),
      scale: fc.boolean(),
    }),
    fc.option(fc.integer({ min: 1, max: 6 })),
  ),
  ([inputShape, options, ghostBatchSize]) => ({
    layer: batchNormalization({ ...options, ...(ghostBatchSize !== null && { ghostBatchSize }) }),
    inputShape,
  }),
);
