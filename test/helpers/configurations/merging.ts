/** Random configurations of layers with several inputs. */
import fc from 'fast-check';
import { add, average, concatenate, maximum, multiply } from '../../../src/layers/index.ts';
import type { Shape } from '../../../src/tensor/shape.ts';
import { configurationsOf, shapes } from './draw.ts';

/** Two to four inputs: of one shape, or with an extent of 1 in places, or without some of the first axes. */
const alike = fc
  .tuple(
    shapes,
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.tuple(fc.boolean(), fc.nat(2), fc.nat(7)), { minLength: 4, maxLength: 4 }),
  )
  .map(([whole, others, draws]) => {
    const [inputShape, ...otherInputShapes] = draws.slice(0, others + 1).map(([isWhole, dropped, ones]) => {
      if (isWhole) return whole;
      const shape = whole.map((extent, axis) => ((ones >> axis) & 1 ? 1 : extent));
      return shape.slice(Math.min(dropped, shape.length - 1));
    }) as [Shape, ...Shape[]];
    return { inputShape, otherInputShapes };
  });

export const addConfigurations = configurationsOf(alike, (drawn) => ({ layer: add({}), ...drawn }));

export const averageConfigurations = configurationsOf(alike, (drawn) => ({ layer: average({}), ...drawn }));

export const maximumConfigurations = configurationsOf(alike, (drawn) => ({ layer: maximum({}), ...drawn }));

export const multiplyConfigurations = configurationsOf(alike, (drawn) => ({ layer: multiply({}), ...drawn }));

export const concatenateConfigurations = configurationsOf(
  fc.tuple(shapes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 })),
  ([inputShape, channels]) => ({
    layer: concatenate({}),
    inputShape,
    otherInputShapes: channels.map((count) => [...inputShape.slice(0, -1), count]),
  }),
);
