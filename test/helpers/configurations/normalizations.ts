/** Random configurations of normalisations. */
import fc from 'fast-check';
import {
  batchNormalization,
  groupNormalization,
  layerNormalization,
  localResponseNormalization,
} from '../../../src/layers/index.ts';
import { configurationsOf, imageShapes, shapes } from './draw.ts';

const common = fc.record({
  epsilon: fc.constantFrom(1e-5, 1e-3, 0.5),
  center: fc.boolean(),
  scale: fc.boolean(),
});

/** A shape whose channels are so many groups of so many. */
const grouped = fc
  .tuple(shapes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.boolean())
  .map(([shape, groups, size, instance]) => ({
    inputShape: [...shape.slice(0, -1), groups * size],
    groups: instance ? -1 : groups,
  }));

export const groupNormalizationConfigurations = configurationsOf(
  fc.tuple(grouped, common),
  ([{ inputShape, groups }, options]) => ({ layer: groupNormalization({ groups, ...options }), inputShape }),
);

export const layerNormalizationConfigurations = configurationsOf(
  fc.tuple(shapes, common, fc.boolean()),
  ([inputShape, options, whole]) => ({
    layer: layerNormalization({ ...options, axis: whole ? [1, 2, 3] : -1 }),
    inputShape,
  }),
);

export const localResponseNormalizationConfigurations = configurationsOf(
  fc.tuple(
    imageShapes,
    fc.record({
      depthRadius: fc.nat(6),
      bias: fc.constantFrom(0.5, 1, 2),
      alpha: fc.constantFrom(0, 2e-5, 0.1, 1),
      beta: fc.constantFrom(0.5, 0.75, 1, 0.3, 2, 0, -0.5),
    }),
  ),
  ([inputShape, options]) => ({ layer: localResponseNormalization(options), inputShape }),
);

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
