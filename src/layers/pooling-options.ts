/** Options and output shape that the pooling layers share. */
import { type PaddingOption, type Pair, toPair } from '../tensor/convolution.ts';
import { type PoolWindow, poolOutputSize, poolWindow } from '../tensor/pooling.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ForwardContext } from './layer.ts';
import { checkWindow } from './options.ts';

export interface PoolOptions {
  /** Window in pixels; default 2. */
  readonly poolSize?: Pair;
  /** Default: poolSize. */
  readonly strides?: Pair;
  /** Default 'valid'. */
  readonly padding?: PaddingOption;
}

export interface PoolConfig {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: PaddingOption;
}

/** Fills in the defaults, `size` for the window's; throws ConfigError. */
export function resolvePool(options: PoolOptions, operation: string, size: Pair = 2): PoolConfig {
  const poolSize = toPair(operation, 'poolSize', options.poolSize ?? size);
  const strides = toPair(operation, 'strides', options.strides ?? poolSize);
  const { padding = 'valid' } = options;
  checkWindow(operation, {}, padding);
  return { poolSize, strides, padding };
}

/** The window on an image; throws ShapeError where it does not fit. */
export function windowOf(config: PoolConfig, input: Shape, operation = 'pooling'): PoolWindow {
  return poolWindow(operation, input, config);
}

/** The window of a layer on its input. */
export function imageWindow({ config, inputs }: ForwardContext<PoolConfig>): PoolWindow {
  return windowOf(config, inputs[0]!.shape);
}

/** [Ho, Wo, C] of the pooled image. */
export function poolOutputShape(config: PoolConfig, inputs: readonly Shape[], operation: string): Shape {
  const [height, width, channels] = inputs[0] as [number, number, number];
  const window = windowOf(config, inputs[0]!, operation);
  return [...poolOutputSize(window, height, width), channels];
}
