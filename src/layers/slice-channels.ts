/**
 * Some of the channels, next to each other (the counterpart of concatenate; groups and branches that share an image).
 *   input [H, W, C], output [H, W, size]; [L, C], [L, size]; or [F], [size]
 *   forward:  y's channels are those of x from `start` on; backward: they are the same channels of dX, +0 elsewhere
 * The output is a view of the input, and its gradient one of the input's gradient: nothing is moved. Only what flatten
 * or reshape made another shape of is copied.
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { channelSlice } from './concatenate.ts';
import { defineLayer } from './layer.ts';
import { checkCount } from './options.ts';
import { clearTensor } from './sub-image.ts';

export interface SliceChannelsOptions {
  /** The first channel taken; default 0. */
  readonly start?: number;
  /** How many; default all that follow. */
  readonly size?: number;
}

export interface SliceChannelsConfig {
  readonly start: number;
  readonly size?: number;
}

/**
 * Channels `start`, `start + 1`, ... of each pixel, as many as `size` (or entries of a vector). As a view it costs
 * nothing. Throws ConfigError for anything but whole numbers, ShapeError where the input has fewer channels.
 */
export const sliceChannels = defineLayer<SliceChannelsOptions, SliceChannelsConfig>({
  type: 'sliceChannels',
  resolve({ start = 0, size }, operation) {
    if (!Number.isInteger(start) || start < 0) {
      const received = formatValue(start);
      throw new ConfigError({ operation, argument: 'start', expected: 'a channel, from 0 on', received });
    }
    if (size === undefined) return { start };
    checkCount(operation, 'size', size);
    return { start, size };
  },
  outputShape({ start, size }, [input], operation): Shape {
    const channels = input!.at(-1)!;
    const taken = size ?? channels - start;
    if (taken >= 1 && start + taken <= channels) return [...input!.slice(0, -1), taken];
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `at least ${start + (size ?? 1)} channels`,
      received: formatShape(input!),
    });
  },
  sliceFrom: ({ start }) => start,
  forward(context) {
    const { config, inputs, output } = context;
    copyTensor(context, channelSlice(inputs[0]!, config.start, output.shape), output, false);
  },
  backward(context) {
    const { config, gradOutput } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    if (!gradInput.accumulate) clearTensor(context, gradInput);
    copyTensor(context, gradOutput, channelSlice(gradInput, config.start, gradOutput.shape), true);
  },
  examples: [
    { options: { start: 2, size: 3 }, inputShape: [3, 4, 7] },
    { options: { start: 1 }, inputShape: [6, 5] },
    { options: { size: 4 }, inputShape: [9] },
  ],
});
