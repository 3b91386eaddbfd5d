/**
 * Dropout of whole channels (Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015): where
 * neighbouring pixels say the same, dropping single ones drops nothing.
 *   input, output [H, W, C]
 *   training:   y = x * mask with one number a channel and sample, 0 or 1 / (1 - rate); dX = dY * mask
 *   inference:  y = x
 * The mask is a pure function of seed, layer name, step, sample and channel.
 */
import { defineLayer } from './layer.ts';
import { maskedBackward, maskedForward } from './masking.ts';
import { checkImage, checkRate } from './options.ts';

export interface SpatialDropout2dOptions {
  /** Share of the channels that is dropped, 0 <= rate < 1. */
  readonly rate: number;
}

/**
 * Drops whole channels of an image while training. Throws ConfigError unless 0 <= rate < 1, ShapeError for anything but
 * images.
 */
export const spatialDropout2d = defineLayer<SpatialDropout2dOptions, SpatialDropout2dOptions>({
  type: 'spatialDropout2d',
  resolve: ({ rate }, operation) => ({ rate: checkRate(operation, 'rate', rate) }),
  outputShape(_config, [input], operation) {
    checkImage(operation, input!);
    return input!;
  },
  trainingOnly: true,
  forward: (context) => maskedForward(context, 'channel', 'spatialDropout'),
  backward: (context) => maskedBackward(context, 'channel'),
  examples: [
    { options: { rate: 0.5 }, inputShape: [3, 4, 5] },
    { options: { rate: 0.25 }, inputShape: [2, 3, 17] },
  ],
});
