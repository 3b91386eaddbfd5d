/**
 * Local response normalisation (Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
 * Networks", 2012, section 3.3): each element is divided by a power of its neighbours' squares in the same pixel, as in
 * AlexNet and in GoogLeNet's paper.
 *   input, output [H, W, C]
 *   forward:  y_c = x_c / (bias + alpha * sum of x_j^2)^beta, j from c - depthRadius to c + depthRadius
 *   backward: with s = bias + alpha * sum,
 *             dX_c = dY_c s_c^-beta - 2 alpha beta x_c * sum of dY_j x_j s_j^(-beta - 1), j around c
 * Names and defaults are those of TensorFlow's `local_response_normalization`. PyTorch and Caffe say `size` for 2 depthRadius
 * + 1, `k` for bias, and divide their alpha by the size: GoogLeNet's size 5, alpha 1e-4, beta 0.75 is
 * { depthRadius: 2, alpha: 2e-5, beta: 0.75 } here.
 */
import { checkLocalResponse, type LocalResponse } from '../kernels/local-response.ts';
import type { LocalResponseBackwardSpec } from '../kernels/local-response-backward.ts';
import type { LocalResponseForwardSpec } from '../kernels/local-response-forward.ts';
import { defineLayer } from './layer.ts';
import { checkImage } from './options.ts';

export interface LocalResponseNormalizationOptions {
  /** Channels on each side that count, 0 and more; default 5. */
  readonly depthRadius?: number;
  /** Above 0; default 1. */
  readonly bias?: number;
  /** 0 and more; default 1. */
  readonly alpha?: number;
  /** Default 0.5. 0.5, 0.75 and 1 are fast; others need a logarithm an element. */
  readonly beta?: number;
}

/**
 * Divides by a power of the neighbouring channels' squares. Options as in TensorFlow: depthRadius (5), bias (1), alpha (1),
 * beta (0.5). Throws ConfigError, and ShapeError for anything but images.
 */
export const localResponseNormalization = defineLayer<LocalResponseNormalizationOptions, LocalResponse>({
  type: 'localResponseNormalization',
  resolve({ depthRadius = 5, bias = 1, alpha = 1, beta = 0.5 }, operation) {
    const config = { depthRadius, bias, alpha, beta };
    checkLocalResponse(operation, config);
    return config;
  },
  outputShape(_config, [input], operation) {
    checkImage(operation, input!);
    return input!;
  },
  forward(context) {
    const { config, inputs, output, call } = context;
    const [input] = inputs;
    const spec: LocalResponseForwardSpec = {
      kind: 'localResponseForward',
      ...config,
      input: input!.view,
      output: output.view,
    };
    const squares = context.scratch(2 * (input!.view.channels + 2 * config.depthRadius));
    call(spec, [input!.origin, squares, output.origin, 'count']);
  },
  backward(context) {
    const { config, inputs, gradOutput, call } = context;
    const [input] = inputs;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const spec: LocalResponseBackwardSpec = {
      kind: 'localResponseBackward',
      ...config,
      input: input!.view,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      accumulate: gradInput.accumulate,
    };
    const scratch = context.scratch(6 * (input!.view.channels + 2 * config.depthRadius));
    call(spec, [input!.origin, gradOutput.origin, scratch, gradInput.origin, 'count']);
  },
  examples: [
    { options: {}, inputShape: [3, 4, 7] },
    { options: { depthRadius: 2, alpha: 0.2, beta: 0.75 }, inputShape: [2, 3, 6] },
    { options: { depthRadius: 1, bias: 2, beta: 0.6 }, inputShape: [2, 2, 5] },
  ],
});
