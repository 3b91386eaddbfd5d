/**
 * Normal noise on whatever comes in: a regulariser, and the classical augmentation of real-valued inputs.
 *   input, output [H, W, C], [L, C] or [F]
 *   training:   y = x + stddev * z, z standard normal and different for every element; dX = dY
 *   inference:  y = x
 * z is a pure function of seed, layer name, step, sample and element.
 */
import { ConfigError } from '../errors.ts';
import type { GaussianNoiseSpec } from '../kernels/gaussian-noise.ts';
import { copyTensor } from './add.ts';
import { defineLayer } from './layer.ts';

export interface GaussianNoiseOptions {
  /** Standard deviation of the noise, from 0 on. */
  readonly stddev: number;
}

/** Adds normal noise while training. Throws ConfigError unless `stddev` is a finite number from 0 on. */
export const gaussianNoise = defineLayer<GaussianNoiseOptions, GaussianNoiseOptions>({
  type: 'gaussianNoise',
  resolve({ stddev }, operation) {
    if (typeof stddev === 'number' && stddev >= 0 && stddev < Infinity) return { stddev };
    throw new ConfigError({
      operation,
      argument: 'stddev',
      expected: 'a finite number from 0 on',
      received: String(stddev),
    });
  },
  outputShape: (_config, [input]) => input!,
  trainingOnly: true,
  forward(context) {
    const { config, inputs, output, step, call } = context;
    const [input] = inputs;
    const spec: GaussianNoiseSpec = {
      kind: 'gaussianNoise',
      stddev: config.stddev,
      input: input!.view,
      output: output.view,
    };
    const key = context.streamKey('gaussianNoise');
    call(spec, [input!.origin, output.origin, ...key, step, 'firstSample', 'count']);
  },
  backward(context) {
    const gradInput = context.gradInput();
    if (gradInput !== undefined) copyTensor(context, context.gradOutput, gradInput, gradInput.accumulate);
  },
  examples: [
    { options: { stddev: 0.1 }, inputShape: [3, 4, 5] },
    { options: { stddev: 1 }, inputShape: [7] },
  ],
});
