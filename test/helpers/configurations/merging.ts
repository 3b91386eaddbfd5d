/** Random configurations of layers with several inputs. */
import fc from 'fast-check';
import { add, average, concatenate, maximum, multiply } from '../../../src/layers/index.ts';
import type { Shape } from '../../../src/tensor/shape.ts';
import { configurationsOf, shapes } from './draw.ts';

/** Two to four inputs of one shape. */
const alike = fc.tuple(shapes, fc.integer({ min: 1, max: 3 })).map(([inputShape, others]) => ({
  inputShape,
  otherInputShapes: Array(others).fill(inputShape) as Shape[],
}));

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
