/**
 * Schedules: learning rates as pure functions of the step t = 0, 1, 2, ..., the number of updates made before. They
 * are computed in f64 by the library's own cos and pow, so that a rate has the same bits everywhere, and hold no
 * state: a resumed run finds its rate by the number of its step. A constant rate is a number.
 */
import { ConfigError } from '../errors.ts';
import type { Json } from '../io/json-value.ts';
import { checkOptions } from '../known-options.ts';
import { pow } from '../math/pow.ts';
import { cos } from '../math/trigonometry.ts';
import {
  checkRate,
  type LearningRate,
  type LearningRateSchedule,
  rateAt,
  scheduleOf,
} from './learning-rate.ts';

export interface PiecewiseConstantDecayOptions {
  /** Steps in rising order: up to and including `boundaries[i]` the rate is `values[i]`. */
  readonly boundaries: readonly number[];
  /** One more than there are boundaries. */
  readonly values: readonly number[];
}

/** A rate that falls in steps (Keras' PiecewiseConstantDecay). */
export function piecewiseConstantDecay(options: PiecewiseConstantDecayOptions): LearningRateSchedule {
  const operation = 'piecewiseConstantDecay';
  checkOptions(operation, options, { boundaries: true, values: true });
  for (const argument of ['boundaries', 'values'] as const) {
    if (!Array.isArray(options[argument]))
      refuse(operation, argument, 'a list of numbers', options[argument]);
  }
  const boundaries = [...options.boundaries];
  const values = [...options.values];
  boundaries.forEach((boundary, i) => {
    if (Number.isSafeInteger(boundary) && boundary > (boundaries[i - 1] ?? -1)) return;
    refuse(operation, `boundaries[${i}]`, 'whole numbers of steps in rising order', boundary);
  });
  if (values.length !== boundaries.length + 1) {
    refuse(operation, 'values', `${boundaries.length + 1} rates, one more than boundaries`, values.length);
  }
  values.forEach((value, i) => {
    checkNumber(operation, `values[${i}]`, value);
  });
  const rate = (step: number) => {
    const at = boundaries.findIndex((boundary) => step <= boundary);
    return at < 0 ? values.at(-1)! : values[at]!;
  };
  return describe(rate, { kind: operation, boundaries, values });
}

export interface ExponentialDecayOptions {
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  /** What the rate is multiplied by in `decaySteps` steps. */
  readonly decayRate: number;
  /** true: in steps, every `decaySteps` (PyTorch's StepLR); default false: a little every step. */
  readonly staircase?: boolean;
}

/** initialLearningRate * decayRate^(t / decaySteps), t / decaySteps rounded down with `staircase` (as in Keras). */
export function exponentialDecay(options: ExponentialDecayOptions): LearningRateSchedule {
  const operation = 'exponentialDecay';
  checkOptions(operation, options, {
    initialLearningRate: true,
    decaySteps: true,
    decayRate: true,
    staircase: true,
  });
  const { initialLearningRate: initial, decaySteps, decayRate, staircase = false } = options;
  checkNumber(operation, 'initialLearningRate', initial);
  checkNumber(operation, 'decayRate', decayRate);
  checkSteps(operation, 'decaySteps', decaySteps);
  const rate = (step: number) => {
    const exponent = step / decaySteps;
    return initial * pow(decayRate, staircase ? Math.floor(exponent) : exponent);
  };
  return describe(rate, {
    kind: operation,
    initialLearningRate: initial,
    decaySteps,
    decayRate,
    staircase,
  });
}

export interface CosineDecayOptions {
  readonly initialLearningRate: number;
  /** Steps of the decay; afterwards the rate stays. */
  readonly decaySteps: number;
  /** The share of the highest rate that is left in the end; default 0. */
  readonly alpha?: number;
  /** The rate that a linear warm-up leads to, from `initialLearningRate` on; default: no warm-up. */
  readonly warmupTarget?: number;
  /** Steps of the warm-up, before those of the decay; default 0. */
  readonly warmupSteps?: number;
}

/**
 * Half a cosine from the highest rate down to `alpha` of it (Loshchilov, Hutter 2017, without restarts; as in Keras):
 * rate * ((1 - alpha) (1 + cos(pi t / decaySteps)) / 2 + alpha).
 */
export function cosineDecay(options: CosineDecayOptions): LearningRateSchedule {
  const operation = 'cosineDecay';
  checkOptions(operation, options, {
    initialLearningRate: true,
    decaySteps: true,
    alpha: true,
    warmupTarget: true,
    warmupSteps: true,
  });
  const { initialLearningRate: initial, decaySteps, alpha = 0, warmupTarget, warmupSteps = 0 } = options;
  checkNumber(operation, 'initialLearningRate', initial);
  checkSteps(operation, 'decaySteps', decaySteps);
  checkFraction(operation, 'alpha', alpha);
  if (warmupTarget !== undefined) checkNumber(operation, 'warmupTarget', warmupTarget);
  if (warmupTarget !== undefined || warmupSteps !== 0) checkSteps(operation, 'warmupSteps', warmupSteps);
  if (warmupSteps !== 0 && warmupTarget === undefined) {
    refuse(operation, 'warmupTarget', 'the rate that the warm-up leads to', warmupTarget);
  }
  const highest = warmupTarget ?? initial;
  const rate = (step: number) => {
    if (step < warmupSteps) return initial + (highest - initial) * (step / warmupSteps);
    const done = Math.min(step - warmupSteps, decaySteps) / decaySteps;
    return highest * ((1 - alpha) * (0.5 * (1 + cos(Math.PI * done))) + alpha);
  };
  return describe(rate, {
    kind: operation,
    initialLearningRate: initial,
    decaySteps,
    alpha,
    warmupTarget: warmupTarget ?? null,
    warmupSteps,
  });
}

export interface OneCycleOptions {
  /** The rate at the top. */
  readonly maxLearningRate: number;
  /** Steps of the run; afterwards the rate stays at its lowest. */
  readonly totalSteps: number;
  /** The share of the steps in which the rate rises; default 0.3. */
  readonly warmupFraction?: number;
  /** The rate begins at maxLearningRate / divFactor; default 25. */
  readonly divFactor?: number;
  /** And ends at its beginning / finalDivFactor; default 1e4. */
  readonly finalDivFactor?: number;
  /** 'cos' (default): both parts are half a cosine; 'linear': straight lines. */
  readonly annealing?: 'cos' | 'linear';
}

/** Up once and down further (Smith, Topin 2018), with the defaults and the steps of PyTorch's OneCycleLR. */
export function oneCycle(options: OneCycleOptions): LearningRateSchedule {
  const operation = 'oneCycle';
  checkOptions(operation, options, {
    maxLearningRate: true,
    totalSteps: true,
    warmupFraction: true,
    divFactor: true,
    finalDivFactor: true,
    annealing: true,
  });
  const { maxLearningRate: top, totalSteps, warmupFraction = 0.3 } = options;
  const { divFactor = 25, finalDivFactor = 1e4, annealing = 'cos' } = options;
  checkNumber(operation, 'maxLearningRate', top);
  checkSteps(operation, 'totalSteps', totalSteps, 2);
  checkFraction(operation, 'warmupFraction', warmupFraction);
  for (const [argument, value] of Object.entries({ divFactor, finalDivFactor })) {
    if (!(value >= 1 && value < Infinity)) refuse(operation, argument, 'a finite number from 1 on', value);
  }
  if (annealing !== 'cos' && annealing !== 'linear') {
    refuse(operation, 'annealing', "'cos' or 'linear'", annealing);
  }
  const start = top / divFactor;
  const lowest = start / finalDivFactor;
  const peak = warmupFraction * totalSteps - 1;
  const last = totalSteps - 1;
  const between = (from: number, to: number, done: number) =>
    annealing === 'linear' ? from + (to - from) * done : to + ((from - to) / 2) * (1 + cos(Math.PI * done));
  const rate = (step: number) => {
    if (step <= peak) return between(start, top, peak === 0 ? 1 : step / peak);
    return between(top, lowest, Math.min(1, (step - peak) / (last - peak)));
  };
  return describe(rate, {
    kind: operation,
    maxLearningRate: top,
    totalSteps,
    warmupFraction,
    divFactor,
    finalDivFactor,
    annealing,
  });
}

export interface WarmupOptions {
  /** Steps in which the rate rises. */
  readonly warmupSteps: number;
  /** The rate of the first step; default 0. */
  readonly initialLearningRate?: number;
}

/** A linear rise to where `rate` begins, then `rate` from its own step 0 on. */
export function warmup(rate: LearningRate, options: WarmupOptions): LearningRateSchedule {
  const operation = 'warmup';
  checkOptions(operation, options, { warmupSteps: true, initialLearningRate: true });
  const { warmupSteps, initialLearningRate: initial = 0 } = options;
  checkRate(operation, rate, 'rate');
  checkNumber(operation, 'initialLearningRate', initial);
  checkSteps(operation, 'warmupSteps', warmupSteps);
  const rising = (step: number) => {
    if (step >= warmupSteps) return rateAt(rate, step - warmupSteps);
    return initial + (rateAt(rate, 0) - initial) * (step / warmupSteps);
  };
  const followedBy = typeof rate === 'number' ? rate : scheduleOf(rate);
  return describe(rising, { kind: operation, warmupSteps, initialLearningRate: initial, followedBy });
}

function describe(rate: (step: number) => number, schedule: Json): LearningRateSchedule {
  return Object.assign(rate, { schedule });
}

function checkNumber(operation: string, argument: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) refuse(operation, argument, 'a finite number from 0 on', value);
}

function checkFraction(operation: string, argument: string, value: number): void {
  if (!(value >= 0 && value <= 1)) refuse(operation, argument, 'a number from 0 to 1', value);
}

function checkSteps(operation: string, argument: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  refuse(operation, argument, `a whole number of steps, ${least} at least`, value);
}

function refuse(operation: string, argument: string, expected: string, received: unknown): never {
  throw new ConfigError({ operation, argument, expected, received: String(received) });
}
