/** Options and output shape that the poolings along sequences share. */
import { type PoolWindow, poolOutputSize, poolWindow } from '../tensor/pooling.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ForwardContext } from './layer.ts';
import { checkCount } from './options.ts';
import {
  alongRow,
  checkSequencePadding,
  checkWindowCovers,
  checkWindowFits,
  rowPadding,
  rowShape,
  type SequencePadding,
} from './sequences.ts';

export interface Pool1dOptions {
  /** Window in steps; default 2. */
  readonly poolSize?: number;
  /** Default: poolSize. */
  readonly strides?: number;
  /** Default 'valid'. */
  readonly padding?: SequencePadding;
}

export type Pool1dConfig = Required<Pool1dOptions>;

/** Fills in the defaults; throws ConfigError. */
export function resolvePool1d(options: Pool1dOptions, operation: string): Pool1dConfig {
  const { poolSize = 2, padding = 'valid' } = options;
  const { strides = poolSize } = options;
  checkCount(operation, 'poolSize', poolSize);
  checkCount(operation, 'strides', strides);
  return { poolSize, strides, padding: checkSequencePadding(operation, padding) };
}

function windowOf({ poolSize, strides, padding }: Pool1dConfig, input: Shape, operation: string): PoolWindow {
  const row = rowShape(operation, input);
  checkWindowFits(operation, input, poolSize, padding, 'poolSize');
  checkWindowCovers(operation, input, { steps: poolSize, strides }, padding);
  const options = { poolSize: alongRow(poolSize), strides: alongRow(strides), padding: rowPadding(padding) };
  return poolWindow(operation, row, options);
}

/** The window of a layer on its input, an image of one row. */
export function sequenceWindow({ config, inputs, name }: ForwardContext<Pool1dConfig>): PoolWindow {
  return windowOf(config, inputs[0]!.shape, name);
}

/** [Lo, C] of the pooled sequence. */
export function pool1dOutputShape(config: Pool1dConfig, inputs: readonly Shape[], operation: string): Shape {
  const [length, channels] = inputs[0] as [number, number];
  const [, outLength] = poolOutputSize(windowOf(config, inputs[0]!, operation), 1, length);
  return [outLength, channels];
}

/** The window that covers a sequence; throws ShapeError for anything else. */
export function wholeSequence(input: Shape, operation = 'globalPooling'): PoolWindow {
  const row = rowShape(operation, input);
  return poolWindow(operation, row, { poolSize: alongRow(row[1]!) });
}
