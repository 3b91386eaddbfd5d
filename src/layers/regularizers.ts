/**
 * Penalties on weights, added to the loss: l1 sum |w| + l2 sum w^2, as in Keras. Plain data, so that files keep them
 * with the layer's other options.
 */
import { ConfigError, formatValue } from '../errors.ts';
import type { ParameterSpec } from './layer.ts';

/** A penalty; what `l1`, `l2` and `l1l2` return. */
export interface Regularizer {
  readonly l1: number;
  readonly l2: number;
}

/** l1 * sum |w|; default 0.01. */
export function l1(factor = 0.01): Regularizer {
  return checkRegularizer('l1', 'factor', { l1: factor, l2: 0 });
}

/** l2 * sum w^2; default 0.01. The gradient is 2 * l2 * w: half of a weight decay as PyTorch's SGD has it. */
export function l2(factor = 0.01): Regularizer {
  return checkRegularizer('l2', 'factor', { l1: 0, l2: factor });
}

/** Both; each defaults to 0. */
export function l1l2({ l1 = 0, l2 = 0 }: Partial<Regularizer> = {}): Regularizer {
  return checkRegularizer('l1l2', 'factors', { l1, l2 });
}

/** Returns the penalty with its two factors. Throws ConfigError unless both are finite and not negative. */
function checkRegularizer(operation: string, argument: string, value: Regularizer): Regularizer {
  const factors = [value?.l1, value?.l2];
  const members = typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  if (members === 2 && factors.every((factor) => Number.isFinite(factor) && factor >= 0)) {
    return { l1: value.l1, l2: value.l2 };
  }
  throw new ConfigError({
    operation,
    argument,
    expected: 'finite factors l1 and l2 from 0 on',
    received: formatValue(value),
    hint: 'such as l2(1e-4)',
  });
}

/** Options of a layer's penalties. */
export interface RegularizerOptions {
  /** Penalty on the weights, such as l2(1e-4); default: none. */
  readonly kernelRegularizer?: Regularizer;
  /** Penalty on the bias; default: none. */
  readonly biasRegularizer?: Regularizer;
}

/** The penalties that a layer's options name, checked; nothing where there are none. */
export function resolveRegularizers(options: RegularizerOptions, operation: string): RegularizerOptions {
  const { kernelRegularizer: kernel, biasRegularizer: bias } = options;
  return {
    ...(kernel && { kernelRegularizer: checkRegularizer(operation, 'kernelRegularizer', kernel) }),
    ...(bias && { biasRegularizer: checkRegularizer(operation, 'biasRegularizer', bias) }),
  };
}

/** Parameters with the penalties of their layer's configuration: that of the bias for `bias`, else the kernel's. */
export function withRegularizers(
  parameters: readonly ParameterSpec[],
  config: unknown,
): readonly ParameterSpec[] {
  const { kernelRegularizer, biasRegularizer } = (config ?? {}) as RegularizerOptions;
  if (kernelRegularizer === undefined && biasRegularizer === undefined) return parameters;
  return parameters.map((parameter) => {
    const regularizer = parameter.name === 'bias' ? biasRegularizer : kernelRegularizer;
    return regularizer === undefined ? parameter : { ...parameter, regularizer };
  });
}
