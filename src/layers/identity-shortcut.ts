/**
 * The shortcut without parameters of residual networks (He, Zhang, Ren, Sun, "Deep residual learning for image
 * recognition", 2016, section 3.3, option A): every strides-th pixel, and zeros for the channels that the block adds.
 *   input [H, W, C], output [ceil(H / sy), ceil(W / sx), filters], filters >= C
 *   forward:  y[i, j, c] = x[i sy, j sx, c] for c < C, otherwise 0
 *   backward: dX[i sy, j sx, c] = dY[i, j, c], 0 at the pixels that were left out
 */
import { ShapeError } from '../errors.ts';
import type { ClearViewSpec } from '../kernels/clear-view.ts';
import { type Pair, toPair } from '../tensor/convolution.ts';
import { checkShape } from '../tensor/shape.ts';
import { copyTensor } from './add.ts';
import { channelSlice } from './concatenate.ts';
import { defineLayer, type TensorRef } from './layer.ts';
import { checkCount } from './options.ts';

export interface IdentityShortcutOptions {
  /** Channels of the output, at least as many as the input has. */
  readonly filters: number;
  /** Default 1: every pixel. */
  readonly strides?: Pair;
}

export interface IdentityShortcutConfig {
  readonly filters: number;
  readonly strides: readonly [number, number];
}

/** Every strides-th pixel of a tensor, as many as `like` has. */
function strided(tensor: TensorRef, [sy, sx]: readonly [number, number], like: TensorRef): TensorRef {
  const { view } = tensor;
  const { height, width } = like.view;
  return {
    ...tensor,
    view: {
      ...view,
      halo: 0,
      height,
      width,
      pixelStride: view.pixelStride * sx,
      rowStride: view.rowStride * sy,
    },
  };
}

/**
 * Every strides-th pixel, with channels of zeros behind the input's. Options: filters, strides (1). Throws ConfigError
 * for senseless options, ShapeError where the input has more channels than `filters`.
 */
export const identityShortcut = defineLayer<IdentityShortcutOptions, IdentityShortcutConfig>({
  type: 'identityShortcut',
  resolve({ filters, strides = 1 }, operation) {
    checkCount(operation, 'filters', filters);
    return { filters, strides: toPair(operation, 'strides', strides) };
  },
  outputShape({ filters, strides: [sy, sx] }, [input], operation) {
    checkShape(operation, 'input shape', input!, 3);
    const [height, width, channels] = input as [number, number, number];
    if (channels > filters) {
      throw new ShapeError({
        operation,
        argument: 'input shape',
        expected: `at most ${filters} channels, the layer's filters`,
        received: `${channels}`,
      });
    }
    return [Math.ceil(height / sy), Math.ceil(width / sx), filters];
  },
  forward(context) {
    const { config, output, call } = context;
    const input = context.inputs[0]!;
    const channels = input.shape.at(-1)!;
    copyTensor(context, strided(input, config.strides, output), channelSlice(output, 0, input.shape), false);
    if (channels === config.filters) return;
    const rest = channelSlice(output, channels, [config.filters - channels]);
    const clear: ClearViewSpec = { kind: 'clearView', output: rest.view };
    call(clear, [rest.origin, 'count']);
  },
  backward(context) {
    const { config, gradOutput, call } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    const leavesOut = config.strides.some((stride) => stride > 1);
    if (leavesOut && !gradInput.accumulate) {
      const clear: ClearViewSpec = { kind: 'clearView', output: gradInput.view };
      call(clear, [gradInput.origin, 'count']);
    }
    const part = channelSlice(gradOutput, 0, gradInput.shape);
    copyTensor(context, part, strided(gradInput, config.strides, gradOutput), gradInput.accumulate);
  },
  examples: [
    { options: { filters: 5, strides: 2 }, inputShape: [5, 6, 3] },
    { options: { filters: 4 }, inputShape: [3, 2, 4] },
    { options: { filters: 9, strides: [1, 3] }, inputShape: [2, 7, 4] },
  ],
});
