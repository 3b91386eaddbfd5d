/** What layers share in checking their options. */
import { ConfigError } from '../errors.ts';
import type { PaddingOption, Pair } from '../tensor/convolution.ts';
import type { Initializer } from '../tensor/initializers.ts';
import { type ActivationOption, activation, isFused } from './activation.ts';
import type { Layer } from './layer.ts';

/** Options that layers with weights have in common. */
export interface WeightOptions {
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
export interface WeightConfig {
  readonly activation: ActivationOption;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
}

/** Fills in the defaults of `WeightOptions`. */
export function resolveWeights(options: WeightOptions): WeightConfig {
  return {
    activation: options.activation ?? 'linear',
    useBias: options.useBias ?? true,
    kernelInitializer: options.kernelInitializer ?? 'glorotUniform',
    biasInitializer: options.biasInitializer ?? 'zeros',
  };
}

/** What the kernels fuse into their stores. */
export function fusedActivation(config: WeightConfig): 'linear' | 'relu' {
  return config.activation === 'relu' ? 'relu' : 'linear';
}

/** The activation layer that must follow where the kernels cannot fuse it. */
export function followingActivation(config: WeightConfig): Layer | undefined {
  return isFused(config.activation) ? undefined : activation({ function: config.activation });
}

/** Throws ConfigError unless `value` is a positive integer. */
export function checkCount(operation: string, argument: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 1) {
    throw new ConfigError({
      operation,
      argument,
      expected: 'a positive integer',
      received: JSON.stringify(value) ?? 'undefined',
    });
  }
}

/** Options of a window: convolution and pooling. */
export interface WindowOptions {
  /** Window of the operation, in pixels. */
  readonly kernelSize: Pair;
  /** Default 1. */
  readonly strides?: Pair;
  /** Default 'valid'. */
  readonly padding?: PaddingOption;
  /** Default 1. */
  readonly dilationRate?: Pair;
}
