/**
 * The geometry of a 2-D convolution: the only place with output-size and padding arithmetic.
 * Convolution here is cross-correlation (the seed's eq. 2.4), NHWC, weights HWIO [kh, kw, C/groups, K]:
 *
 *   out[n, oy, ox, k] = sum over ky, kx, c of
 *     in[n, oy*strideY + ky*dilationY - padTop, ox*strideX + kx*dilationX - padLeft, c] * weight[ky, kx, c, k]
 *   outHeight = floor((H + padTop + padBottom - dilationY*(kh-1) - 1) / strideY) + 1
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import { checkShape, formatShape, type Shape } from './shape.ts';

/** Zeros around the image, in pixels. */
export interface Padding {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** `'same'`: ceil(size/stride) outputs, an odd pixel of padding goes to the bottom/right; `'valid'`: none. */
export type PaddingOption = 'same' | 'valid' | Padding;

/** A size for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** Everything a convolution's kernels need to know about shapes. */
export interface ConvGeometry {
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly padding: Padding;
  readonly groups: number;
}

/** What a user says of a convolution; strides, dilation and groups default to 1, padding to 'valid'. */
export interface ConvOptions {
  /** Output channels. */
  readonly filters: number;
  /** Height and width of the filters, in pixels; one number for both. */
  readonly kernelSize: Pair;
  /** Pixels from one position of a filter to the next; default 1. */
  readonly strides?: Pair;
  /** Pixels from one tap of a filter to the next; default 1. */
  readonly dilationRate?: Pair;
  /** 'valid' (default): none; 'same': as many outputs as inputs (by stride), an odd pixel at the bottom and right; or pixels. */
  readonly padding?: PaddingOption;
  /** Parts of the channels that do not see each other; divides input channels and filters. Default 1. */
  readonly groups?: number;
}

/** A pair of positive integers from a user's option; throws ConfigError. */
export function toPair(operation: string, argument: string, value: Pair): readonly [number, number] {
  const pair = typeof value === 'number' ? ([value, value] as const) : value;
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((v) => Number.isInteger(v) && v > 0)) {
    throw new ConfigError({
      operation,
      argument,
      expected: 'a positive integer or two of them, [vertical, horizontal]',
      received: formatValue(value),
    });
  }
  return pair as readonly [number, number];
}

/** Output extent of a window of `size` taps, or a number below 1 where the window does not fit. */
export function outputExtent(
  input: number,
  size: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((input + before + after - dilation * (size - 1) - 1) / stride) + 1;
}

/** The padding of 'same' along one axis: [before, after], the odd pixel after (as in Keras). */
export function samePadding(
  input: number,
  size: number,
  stride: number,
  dilation: number,
): readonly [number, number] {
  const output = Math.ceil(input / stride);
  const total = Math.max(0, (output - 1) * stride + dilation * (size - 1) + 1 - input);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Resolves a padding option to pixels; throws ConfigError for anything but 'same', 'valid', four counts. */
export function resolvePadding(
  operation: string,
  option: PaddingOption,
  input: readonly [number, number],
  size: readonly [number, number],
  strides: readonly [number, number],
  dilation: readonly [number, number],
): Padding {
  if (option === 'valid') return { top: 0, right: 0, bottom: 0, left: 0 };
  if (option === 'same') {
    const [top, bottom] = samePadding(input[0], size[0], strides[0], dilation[0]);
    const [left, right] = samePadding(input[1], size[1], strides[1], dilation[1]);
    return { top, right, bottom, left };
  }
  const sides = ['top', 'right', 'bottom', 'left'] as const;
  if (typeof option !== 'object' || option === null || !sides.every((s) => isCount(option[s]))) {
    throw new ConfigError({
      operation,
      argument: 'padding',
      expected: "'same', 'valid' or { top, right, bottom, left } in whole pixels",
      received: formatValue(option),
    });
  }
  return { top: option.top, right: option.right, bottom: option.bottom, left: option.left };
}

/**
 * Geometry of a convolution of images `[H, W, C]`.
 * Throws ShapeError where the window does not fit, ConfigError for senseless options.
 */
export function convGeometry(operation: string, inputShape: Shape, options: ConvOptions): ConvGeometry {
  checkShape(operation, 'input shape', inputShape, 3);
  const [inHeight, inWidth, inChannels] = inputShape as [number, number, number];
  const kernel = toPair(operation, 'kernelSize', options.kernelSize);
  const strides = toPair(operation, 'strides', options.strides ?? 1);
  const dilation = toPair(operation, 'dilationRate', options.dilationRate ?? 1);
  const groups = options.groups ?? 1;
  checkFilters(operation, options.filters, inChannels, groups);
  const padding = resolvePadding(
    operation,
    options.padding ?? 'valid',
    [inHeight, inWidth],
    kernel,
    strides,
    dilation,
  );
  const outHeight = outputExtent(inHeight, kernel[0], strides[0], dilation[0], padding.top, padding.bottom);
  const outWidth = outputExtent(inWidth, kernel[1], strides[1], dilation[1], padding.left, padding.right);
  if (outHeight < 1 || outWidth < 1) {
    const extent = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `an image of at least ${formatShape(extent)} pixels with its padding`,
      received: formatShape([
        inHeight + padding.top + padding.bottom,
        inWidth + padding.left + padding.right,
      ]),
      hint: "use padding: 'same' or a smaller kernelSize",
    });
  }
  return {
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels: options.filters,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: strides[0],
    strideX: strides[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    padding,
    groups,
  };
}

/** Halo that the forward pass and the weight gradient need around the input, in pixels. */
export function inputHalo(g: ConvGeometry): number {
  const below =
    (g.outHeight - 1) * g.strideY + (g.kernelHeight - 1) * g.dilationY - g.padding.top - (g.inHeight - 1);
  const right =
    (g.outWidth - 1) * g.strideX + (g.kernelWidth - 1) * g.dilationX - g.padding.left - (g.inWidth - 1);
  return Math.max(0, g.padding.top, g.padding.left, below, right);
}

/** Halo that the input gradient needs around the gradient of the output, in pixels. */
export function gradOutputHalo(g: ConvGeometry): number {
  const above = Math.floor(((g.kernelHeight - 1) * g.dilationY - g.padding.top) / g.strideY);
  const left = Math.floor(((g.kernelWidth - 1) * g.dilationX - g.padding.left) / g.strideX);
  const below = Math.floor((g.inHeight - 1 + g.padding.top) / g.strideY) - (g.outHeight - 1);
  const right = Math.floor((g.inWidth - 1 + g.padding.left) / g.strideX) - (g.outWidth - 1);
  return Math.max(0, above, left, below, right);
}

/** Elements of the weights, HWIO [kh, kw, C/groups, K]. */
export function weightCount(g: ConvGeometry): number {
  return g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups) * g.outChannels;
}

/** Multiply-adds of the forward pass, an image. */
export function multiplyAdds(g: ConvGeometry): number {
  return weightCount(g) * g.outHeight * g.outWidth;
}

function checkFilters(operation: string, filters: number, inChannels: number, groups: number): void {
  if (!Number.isInteger(filters) || filters < 1) {
    throw new ConfigError({
      operation,
      argument: 'filters',
      expected: 'a positive integer',
      received: String(filters),
    });
  }
  if (!Number.isInteger(groups) || groups < 1 || inChannels % groups !== 0 || filters % groups !== 0) {
    throw new ConfigError({
      operation,
      argument: 'groups',
      expected: `a divisor of ${inChannels} input channels and of ${filters} filters`,
      received: String(groups),
    });
  }
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** What a user says of a transposed convolution. */
export interface TransposedOptions extends ConvOptions {
  /** Rows and columns added at the bottom and right, 0 <= outputPadding < stride; default 0, or what 'same' needs. */
  readonly outputPadding?: number | readonly [number, number];
}

/**
 * The convolution whose input gradient the transposed convolution of `inputShape` is: its input is the
 * layer's output [Ho, Wo, filters], its output the layer's input. With 'same' the output is input * stride.
 * Throws ShapeError where nothing would remain, ConfigError for senseless options.
 */
export function transposedGeometry(
  operation: string,
  inputShape: Shape,
  options: TransposedOptions,
): ConvGeometry {
  checkShape(operation, 'input shape', inputShape, 3);
  const [height, width, channels] = inputShape as [number, number, number];
  const kernel = toPair(operation, 'kernelSize', options.kernelSize);
  const strides = toPair(operation, 'strides', options.strides ?? 1);
  const dilation = toPair(operation, 'dilationRate', options.dilationRate ?? 1);
  const extra = outputPaddingPair(operation, options.outputPadding, strides);
  const option = options.padding ?? 'valid';
  const same: readonly [number, number] = [height * strides[0], width * strides[1]];
  const padding = resolvePadding(operation, option, same, kernel, strides, dilation);
  const full = (input: number, axis: 0 | 1, pads: number) =>
    (input - 1) * strides[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - pads + extra[axis];
  const isSame = option === 'same' && options.outputPadding === undefined;
  const outHeight = isSame ? same[0] : full(height, 0, padding.top + padding.bottom);
  const outWidth = isSame ? same[1] : full(width, 1, padding.left + padding.right);
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError({
      operation,
      argument: 'output shape',
      expected: 'at least one pixel',
      received: formatShape([outHeight, outWidth]),
      hint: 'use less padding or a larger kernelSize',
    });
  }
  checkFilters(operation, options.filters, 1, 1);
  checkShape(operation, 'output shape', [outHeight, outWidth, options.filters]);
  const geometry = convGeometry(operation, [outHeight, outWidth, options.filters], {
    ...options,
    filters: channels,
    padding,
  });
  if (geometry.outHeight !== height || geometry.outWidth !== width) {
    throw new ShapeError({
      operation,
      argument: 'outputPadding',
      expected: `a convolution back to ${formatShape([height, width])}`,
      received: formatShape([geometry.outHeight, geometry.outWidth]),
    });
  }
  return geometry;
}

function outputPaddingPair(
  operation: string,
  option: TransposedOptions['outputPadding'],
  strides: readonly [number, number],
): readonly [number, number] {
  if (option === undefined) return [0, 0];
  const pair = typeof option === 'number' ? [option, option] : option;
  if (pair.length !== 2 || !pair.every((v, axis) => isCount(v) && v < strides[axis]!)) {
    throw new ConfigError({
      operation,
      argument: 'outputPadding',
      expected: `whole pixels below the strides ${formatShape(strides)}`,
      received: formatValue(option),
    });
  }
  return pair as [number, number];
}
