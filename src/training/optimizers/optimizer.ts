/** What all optimizers share: the contract, and Keras' options for decay, clipping and averaged weights. */
import { ConfigError } from '../../errors.ts';
import type { KernelSpec } from '../../kernels/kernel.ts';
import type { OptionNames } from '../../known-options.ts';
import type { ClipPlan, OptimizerPlan } from '../../model/contracts.ts';
import { checkRate, type LearningRate, rateAt } from '../learning-rate.ts';

/** An optimizer as `fit` takes it. */
export interface Optimizer {
  readonly name: string;
  readonly plan: OptimizerPlan;
  readonly learningRate: LearningRate;
  /**
   * The numbers of a step that the kernels read: [learning rate or step size, learning rate, and for averaged weights
   * what of the average stays, what of the weights is added]; 0 for what is not read. `step` counts from 0; `rate` is
   * the learning rate of the step (default: what `learningRate` gives for it).
   */
  hyper(step: number, rate?: number): readonly number[];
}

/** Options of every optimizer. */
export interface OptimizerOptions {
  /**
   * Decoupled weight decay: before each step w -= learningRate * weightDecay * w (Loshchilov, Hutter 2019), whatever
   * the gradient. Default 0 (`adamW`: 0.004).
   */
  readonly weightDecay?: number;
  /**
   * Parameters that do not decay: by their own names ('bias', 'gamma'), or by the beginning of their full names
   * ('dense_1', 'conv2d/weight'). Default: none.
   */
  readonly excludeFromWeightDecay?: readonly string[];
  /** Most that the L2 norm of a parameter's gradient may be; larger ones are scaled down to it, each by itself. */
  readonly clipNorm?: number;
  /** Most that the L2 norm over all gradients may be; otherwise all are scaled down by one factor. */
  readonly globalClipNorm?: number;
  /** Each element of a gradient is held between -clipValue and clipValue. At most one of the three clips. */
  readonly clipValue?: number;
  /**
   * Whether an exponential moving average of the weights is kept. Validation, callbacks after an epoch and the model
   * after `fit` have the averages; the steps go on with the weights themselves. Default false.
   */
  readonly useEma?: boolean;
  /** What of the average stays at each step; default 0.99. The first step's weights are the first average. */
  readonly emaMomentum?: number;
}

/** Names of the options of every optimizer. */
export const OPTIMIZER_OPTIONS: OptionNames<OptimizerOptions> = {
  weightDecay: true,
  excludeFromWeightDecay: true,
  clipNorm: true,
  globalClipNorm: true,
  clipValue: true,
  useEma: true,
  emaMomentum: true,
};

/** What an optimizer is made of. */
export interface OptimizerParts {
  readonly name: string;
  readonly learningRate: LearningRate;
  readonly slots: readonly string[];
  /** The kernel's spec for a weight decay, which is 0 for excluded parameters. */
  specFor(weightDecay: number): KernelSpec;
  /** What each slot begins with; default 0. */
  readonly initialState?: number;
  /** The first of the kernel's numbers; default: the learning rate. `step` counts from 0. */
  stepNumber?(rate: number, step: number): number;
}

/** Makes an optimizer of its parts and the options that all have. Throws ConfigError. */
export function createOptimizer(parts: OptimizerParts, options: OptimizerOptions): Optimizer {
  const { name, learningRate, slots, specFor, initialState, stepNumber = (rate) => rate } = parts;
  const { weightDecay = 0, excludeFromWeightDecay: names = [], useEma = false, emaMomentum = 0.99 } = options;
  checkRate(name, learningRate);
  checkNumber(name, 'weightDecay', weightDecay);
  checkNames(name, names);
  checkFraction(name, 'emaMomentum', emaMomentum);
  if (typeof useEma !== 'boolean') refuse(name, 'useEma', 'true or false', useEma);
  const clip = clipPlan(name, options);
  const decays = weightDecay !== 0;
  const plan: OptimizerPlan = {
    spec: specFor(weightDecay),
    slots,
    ...(initialState !== undefined && { initialState }),
    ...(decays && names.length > 0 && { undecayed: { spec: specFor(0), names } }),
    ...(clip && { clip }),
    ...(useEma && { average: { momentum: emaMomentum } }),
  };
  return {
    name,
    plan,
    learningRate,
    hyper(step, rate = rateAt(learningRate, step)) {
      // The first average is what the first step leaves.
      const kept = step === 0 ? 0 : emaMomentum;
      return [stepNumber(rate, step), decays ? rate : 0, ...(useEma ? [kept, 1 - kept] : [0, 0])];
    },
  };
}

function clipPlan(name: string, options: OptimizerOptions): ClipPlan | undefined {
  const limits = { clipNorm: 'norm', globalClipNorm: 'globalNorm', clipValue: 'value' } as const;
  const given = (Object.keys(limits) as (keyof typeof limits)[]).filter((key) => options[key] !== undefined);
  const [key] = given;
  if (key === undefined) return undefined;
  if (given.length > 1) refuse(name, given.join(' and '), 'at most one kind of clipping', given.length);
  const limit = options[key]!;
  if (!(limit > 0 && limit < Infinity)) refuse(name, key, 'a positive, finite limit', limit);
  return { by: limits[key], limit };
}

function checkNames(operation: string, names: readonly string[]): void {
  const right = Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '');
  if (!right) refuse(operation, 'excludeFromWeightDecay', 'a list of names', JSON.stringify(names));
}

/** Throws ConfigError unless 0 <= value < 1. */
export function checkFraction(operation: string, argument: string, value: number): void {
  if (!(value >= 0 && value < 1)) refuse(operation, argument, '0 to below 1', value);
}

/** Throws ConfigError unless the value is finite and not negative. */
export function checkNumber(operation: string, argument: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) refuse(operation, argument, 'a finite number from 0 on', value);
}

/** Throws ConfigError. */
export function refuse(operation: string, argument: string, expected: string, received: unknown): never {
  throw new ConfigError({ operation, argument, expected, received: String(received) });
}
