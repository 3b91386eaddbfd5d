/** What layers share in checking their options. */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import { type PaddingOption, type Pair, resolvePadding, toPair } from '../tensor/convolution.ts';
import { checkInitializer, type Initializer } from '../tensor/initializers.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { type ActivationOption, activation, checkActivation, isFused } from './activation.ts';
import type { Layer } from './layer.ts';
import { type RegularizerOptions, resolveRegularizers } from './regularizers.ts';

/** Options that layers with weights have in common. */
export interface WeightOptions extends RegularizerOptions {
  /** Applied to the result; default 'linear'. */
  readonly activation?: ActivationOption;
  /** Whether a bias is added to each output channel; default true. */
  readonly useBias?: boolean;
  /** Default 'glorotUniform'. */
  readonly kernelInitializer?: Initializer;
  /** Default 'zeros'. */
  readonly biasInitializer?: Initializer;
}

/** `WeightOptions` with defaults filled in. */
export interface WeightConfig extends RegularizerOptions {
  readonly activation: ActivationOption;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
}

/** Fills in the defaults of `WeightOptions`; throws ConfigError. */
export function resolveWeights(options: WeightOptions, operation: string): WeightConfig {
  const { kernelInitializer = 'glorotUniform' } = options;
  const { activation: name, useBias, ...rest } = resolveBeyondKernel(options, operation);
  return {
    activation: name,
    useBias,
    kernelInitializer: checkInitializer(operation, 'kernelInitializer', kernelInitializer),
    ...rest,
  };
}

/** The same for layers whose kernels have initialisers under other names. */
export function resolveBeyondKernel(
  options: Omit<WeightOptions, 'kernelInitializer'>,
  operation: string,
): Omit<WeightConfig, 'kernelInitializer'> {
  const { activation: name = 'linear', useBias = true, biasInitializer = 'zeros' } = options;
  return {
    activation: checkActivation(operation, 'activation', name),
    useBias: checkFlag(operation, 'useBias', useBias),
    biasInitializer: checkInitializer(operation, 'biasInitializer', biasInitializer),
    ...resolveRegularizers(options, operation),
  };
}

/** What comes after the sums. */
export type EndConfig = Pick<WeightConfig, 'activation' | 'useBias'>;

/** What the kernels fuse into their stores. */
export function fusedActivation(config: EndConfig): 'linear' | 'relu' {
  return config.activation === 'relu' ? 'relu' : 'linear';
}

/** The activation layer that must follow where the kernels cannot fuse it. */
export function followingActivation(config: EndConfig): Layer | undefined {
  return isFused(config.activation) ? undefined : activation({ function: config.activation });
}

/** Returns `value` where it is true or false; throws ConfigError otherwise. */
export function checkFlag(operation: string, argument: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const received = formatValue(value);
  throw new ConfigError({ operation, argument, expected: 'true or false', received });
}

/** Throws ConfigError unless `value` is a positive integer. */
export function checkCount(operation: string, argument: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 1) {
    throw new ConfigError({
      operation,
      argument,
      expected: 'a positive integer',
      received: formatValue(value),
    });
  }
}

/** Returns `value` where it is a share that may be dropped, 0 <= value < 1; throws ConfigError otherwise. */
export function checkRate(operation: string, argument: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw new ConfigError({
    operation,
    argument,
    expected: 'a number from 0 to below 1',
    received: String(value),
  });
}

/** Throws ShapeError unless `shape` is an image's, [H, W, C]. */
export function checkImage(operation: string, shape: Shape): void {
  if (shape.length === 3) return;
  throw new ShapeError({
    operation,
    argument: 'input shape',
    expected: 'an image [H, W, C]',
    received: formatShape(shape),
  });
}

/** Throws ConfigError for what no image could make sense of, before there is one. */
export function checkWindow(
  operation: string,
  pairs: Readonly<Record<string, Pair>>,
  padding: PaddingOption,
): void {
  for (const [argument, value] of Object.entries(pairs)) toPair(operation, argument, value);
  resolvePadding(operation, padding, [1, 1], [1, 1], [1, 1], [1, 1]);
}
