/** Random configurations of layers that take each element by itself, or move it. */
import fc from 'fast-check';
import { activation, dropout, flatten, prelu } from '../../../src/layers/index.ts';
import { configurationsOf, FUNCTIONS, shapes } from './draw.ts';

export const activationConfigurations = configurationsOf(
  fc.tuple(fc.constantFrom(...FUNCTIONS), shapes, fc.option(fc.constantFrom(0, 0.2, 0.5, 1, 1.5))),
  ([name, inputShape, alpha]) => ({
    layer: activation({ function: name, ...(alpha !== null && { alpha }) }),
    inputShape,
  }),
);

export const preluConfigurations = configurationsOf(shapes, (inputShape) => ({
  layer: prelu({}),
  inputShape,
}));

export const dropoutConfigurations = configurationsOf(
  fc.tuple(shapes, fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9)),
  ([inputShape, rate]) => ({ layer: dropout({ rate }), inputShape }),
);

export const flattenConfigurations = configurationsOf(shapes, (inputShape) => ({
  layer: flatten(),
  inputShape,
}));
