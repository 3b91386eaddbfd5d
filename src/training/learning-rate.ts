/** Learning rates: a number, or a pure function of the step. */
import { ConfigError } from '../errors.ts';
import type { Json } from '../io/json-value.ts';

/** A rate, or a pure function of the step (counted from 0): a schedule, or a function of your own. */
export type LearningRate = number | ((step: number) => number);

/** A schedule of the library: a function of the step that says what it is. */
export interface LearningRateSchedule {
  (step: number): number;
  /** Plain data, which a checkpoint keeps; null where it contains a function of the user's own. */
  readonly schedule: Json;
}

/** The learning rate of a step, counted from 0. Throws ConfigError where a function gives none. */
export function rateAt(rate: LearningRate, step: number): number {
  const value = typeof rate === 'number' ? rate : rate(step);
  if (typeof rate !== 'number') checkRate(`learning rate of step ${step}`, value);
  return value;
}

/** What a schedule is, as plain data; null for numbers and functions of the user's own. */
export function scheduleOf(rate: LearningRate): Json {
  if (typeof rate !== 'function') return null;
  return (rate as Partial<LearningRateSchedule>).schedule ?? null;
}

/** Throws ConfigError unless it is a rate or a function. */
export function checkRate(operation: string, rate: LearningRate, argument = 'learningRate'): void {
  if (typeof rate === 'function' || (Number.isFinite(rate) && rate >= 0)) return;
  throw new ConfigError({
    operation,
    argument,
    expected: 'a finite number from 0 on, or a function of the step',
    received: String(rate),
  });
}
