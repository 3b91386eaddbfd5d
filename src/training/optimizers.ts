/** Optimizers: Keras' forms and defaults, and their names. */
import { ConfigError, formatValue } from '../errors.ts';
import { adagrad } from './optimizers/adagrad.ts';
import { adam, adamW } from './optimizers/adam.ts';
import { lion } from './optimizers/lion.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { rmsprop } from './optimizers/rmsprop.ts';
import { sgd } from './optimizers/sgd.ts';

export { type LearningRate, rateAt } from './learning-rate.ts';
export { type AdagradOptions, adagrad } from './optimizers/adagrad.ts';
export { type AdamOptions, adam, adamW } from './optimizers/adam.ts';
export { type LionOptions, lion } from './optimizers/lion.ts';
export type { Optimizer, OptimizerOptions } from './optimizers/optimizer.ts';
export { type RmspropOptions, rmsprop } from './optimizers/rmsprop.ts';
export { type SgdOptions, sgd } from './optimizers/sgd.ts';

const BY_NAME = { adagrad, adam, adamW, lion, rmsprop, sgd };

/** Names of optimizers with all their defaults. */
export type OptimizerName = keyof typeof BY_NAME;

/** An optimizer by name with its defaults, or the given one. Throws ConfigError for unknown names. */
export function resolveOptimizer(optimizer: Optimizer | OptimizerName): Optimizer {
  if (typeof optimizer === 'string' && Object.hasOwn(BY_NAME, optimizer)) return BY_NAME[optimizer]();
  if (typeof optimizer === 'object' && optimizer !== null && typeof optimizer.hyper === 'function')
    return optimizer;
  throw new ConfigError({
    operation: 'fit',
    argument: 'optimizer',
    expected: `an optimizer such as adam(), or one of ${Object.keys(BY_NAME).join(', ')}`,
    received: formatValue(optimizer),
  });
}
