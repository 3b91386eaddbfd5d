/** What normalisations share in their options: epsilon, and the parameters gamma and beta. */
import { ConfigError } from '../errors.ts';
import { checkInitializer, type Initializer } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ParameterSpec } from './layer.ts';
import { checkFlag } from './options.ts';

export interface NormalizationOptions {
  /** Added to the variance; default 1e-3. */
  readonly epsilon?: number;
  /** Whether there is a beta; default true. */
  readonly center?: boolean;
  /** Whether there is a gamma; default true. */
  readonly scale?: boolean;
  /** Default 'zeros'. */
  readonly betaInitializer?: Initializer;
  /** Default 'ones'. */
  readonly gammaInitializer?: Initializer;
}

/** `NormalizationOptions` with defaults filled in. */
export type NormalizationConfig = Required<NormalizationOptions>;

/** Fills in the defaults; throws ConfigError. */
export function resolveNormalization(options: NormalizationOptions, operation: string): NormalizationConfig {
  const { epsilon = 1e-3, center = true, scale = true } = options;
  const { betaInitializer = 'zeros', gammaInitializer = 'ones' } = options;
  if (!(typeof epsilon === 'number' && epsilon >= 0 && epsilon < Infinity)) {
    throw new ConfigError({
      operation,
      argument: 'epsilon',
      expected: 'a finite number from 0 on',
      received: String(epsilon),
    });
  }
  return {
    epsilon,
    center: checkFlag(operation, 'center', center),
    scale: checkFlag(operation, 'scale', scale),
    betaInitializer: checkInitializer(operation, 'betaInitializer', betaInitializer),
    gammaInitializer: checkInitializer(operation, 'gammaInitializer', gammaInitializer),
  };
}

/** Gamma and beta, as far as there are any. */
export function normalizationParameters(config: NormalizationConfig, shape: Shape): ParameterSpec[] {
  return [
    ...(config.scale ? [{ name: 'gamma', shape, initializer: config.gammaInitializer }] : []),
    ...(config.center ? [{ name: 'beta', shape, initializer: config.betaInitializer }] : []),
  ];
}
