/** Random configurations of layers that take each element by itself, or move it. */
import fc from 'fast-check';
import {
  activation,
  dropout,
  flatten,
  gaussianNoise,
  prelu,
  spatialDropout2d,
  stochasticDepth,
} from '../../../src/layers/index.ts';
import { configurationsOf, FUNCTIONS, imageShapes, shapes } from './draw.ts';

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

const rates = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9);

export const dropoutConfigurations = configurationsOf(fc.tuple(shapes, rates), ([inputShape, rate]) => ({
  layer: dropout({ rate }),
  inputShape,
}));

export const spatialDropout2dConfigurations = configurationsOf(
  fc.tuple(imageShapes, rates),
  ([inputShape, rate]) => ({ layer: spatialDropout2d({ rate }), inputShape }),
);

export const stochasticDepthConfigurations = configurationsOf(
  fc.tuple(shapes, rates),
  ([inputShape, rate]) => ({ layer: stochasticDepth({ rate }), inputShape }),
);

export const gaussianNoiseConfigurations = configurationsOf(
  fc.tuple(shapes, fc.constantFrom(0, 1e-3, 0.1, 1, 30)),
  ([inputShape, stddev]) => ({ layer: gaussianNoise({ stddev }), inputShape }),
);

export const flattenConfigurations = configurationsOf(shapes, (inputShape) => ({
  layer: flatten(),
  inputShape,
}));
