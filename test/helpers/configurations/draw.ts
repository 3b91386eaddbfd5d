/** What the random configurations of layers are drawn from: shapes, activations, and how a draw is printed. */
import fc from 'fast-check';
import { activation } from '../../../src/layers/activation.ts';
import type { Layer } from '../../../src/layers/layer.ts';
import type { Shape } from '../../../src/tensor/shape.ts';
import type { Configuration } from '../conformance.ts';

const seeds = fc.nat(2 ** 31 - 100);

/** The configurations that `make` makes of drawn options. A failing one prints itself. */
export function configurationsOf<T>(
  options: fc.Arbitrary<T>,
  make: (options: T) => {
    readonly layer: Layer;
    readonly inputShape: Shape;
    readonly otherInputShapes?: readonly Shape[];
  },
): fc.Arbitrary<Configuration> {
  return fc.tuple(options, seeds).map(([drawn, seed]) => {
    const { layer, ...shapes } = make(drawn);
    const print = () => `${layer.type} ${JSON.stringify({ config: layer.config, ...shapes, seed })}`;
    return { layer, ...shapes, seed, [fc.toStringMethod]: print };
  });
}

/** Those of which there are examples, which are all. */
export const FUNCTIONS = activation.definition.examples.map(({ options }) => options.function);

/** Options of layers with weights: mostly linear or with ReLU, as the kernels fuse them. */
export const weightOptions = fc.record({
  activation: fc.oneof(
    fc.constant('linear' as const),
    fc.constant('relu' as const),
    fc.constantFrom(...FUNCTIONS),
  ),
  useBias: fc.boolean(),
});

/** [H, W, C]. */
export const imageShapes: fc.Arbitrary<Shape> = fc.tuple(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 9 }),
);

/** [F]. */
const vectorShapes: fc.Arbitrary<Shape> = fc.tuple(fc.integer({ min: 1, max: 40 }));

/** [L, C]. */
export const sequenceShapes: fc.Arbitrary<Shape> = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 9 }),
);

/** [H, W, C], [L, C] or [F]. */
export const shapes: fc.Arbitrary<Shape> = fc.oneof(imageShapes, sequenceShapes, vectorShapes);
