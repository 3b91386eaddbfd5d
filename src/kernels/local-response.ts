/**
 * What the kernels of local response normalisation share: the formula's numbers, and its power.
 *
 * base_c = bias + alpha * (sum of x^2 over the channels c - depthRadius .. c + depthRadius that exist), in f64, the sum from
 * +0 in the order of the channels; what lies outside counts as +0.
 *
 * base^-beta for beta 0.5, 0.75 and 1 is made of roots and divisions, which are exact by IEEE 754; for others it is `pow`.
 */
import { ConfigError } from '../errors.ts';
import { pow } from '../math/pow.ts';

export interface LocalResponse {
  /** Channels on each side, from 0 on. */
  readonly depthRadius: number;
  /** Above 0. */
  readonly bias: number;
  /** From 0 on. */
  readonly alpha: number;
  readonly beta: number;
}

/** Values of beta whose power needs no logarithm. */
export const ROOT_POWERS: readonly number[] = [0.5, 0.75, 1];

/** base^-beta for a positive base. */
export function inversePower(base: number, beta: number): number {
  switch (beta) {
    case 0.5:
      return 1 / Math.sqrt(base);
    case 0.75:
      return 1 / (Math.sqrt(base) * Math.sqrt(Math.sqrt(base)));
    case 1:
      return 1 / base;
    default:
      return pow(base, -beta);
  }
}

/** Throws ConfigError for numbers that make no sense. */
export function checkLocalResponse(
  operation: string,
  { depthRadius, bias, alpha, beta }: LocalResponse,
): void {
  const refuse = (argument: string, expected: string, value: unknown): never => {
    throw new ConfigError({ operation, argument, expected, received: String(value) });
  };
  if (!(Number.isInteger(depthRadius) && depthRadius >= 0)) {
    refuse('depthRadius', 'an integer from 0 on', depthRadius);
  }
  if (!(Number.isFinite(bias) && bias > 0)) refuse('bias', 'a finite number above 0', bias);
  if (!(Number.isFinite(alpha) && alpha >= 0)) refuse('alpha', 'a finite number from 0 on', alpha);
  if (!Number.isFinite(beta)) refuse('beta', 'a finite number', beta);
}
