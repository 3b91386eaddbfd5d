/** Flatten: [H, W, C] read as [H*W*C], row-major (so NHWC order); nothing is moved. */
import { elementCount } from '../tensor/shape.ts';
import type { CommonOptions } from './layer.ts';
import { defineLayer } from './layer.ts';

/** The image as one vector, as in Keras: [H, W, C] to [H*W*C]. */
export const flatten = defineLayer<CommonOptions, Record<string, never>>({
  type: 'flatten',
  resolve: () => ({}),
  outputShape: (_config, [input]) => [elementCount(input!)],
  reshape: true,
  examples: [
    { options: {}, inputShape: [3, 4, 2] },
    { options: {}, inputShape: [5] },
  ],
});
