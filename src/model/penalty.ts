/**
 * Penalties on weights (regularizers): their gradients are added where a range of gradients has been reduced, and their
 * values are measured there, for the loss that is reported.
 */
import type { AddPenaltySpec } from '../kernels/add-penalty.ts';
import { type SumPowersSpec, sumPowers } from '../kernels/sum-powers.ts';
import type { PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import type { Regularizer } from '../layers/regularizers.ts';
import { plainBuffer, refTo } from './buffers.ts';
import type { Emission } from './emit.ts';

/** The loss has sum over i of factors[i] * buffer[i] (f64) more than the data's, the sum in order from +0. */
export interface Penalties {
  readonly buffer: PlannedBuffer;
  readonly factors: readonly number[];
}

/** A part of a gradient that is reduced by one unit. */
interface PenalizedRange {
  readonly name: string;
  readonly total: PlannedBuffer;
  readonly from: number;
  readonly length: number;
  readonly regularizer: Regularizer | undefined;
}

/** Adds to each range's unit its penalty's gradient and sums. Undefined where nothing is penalised. */
export function addPenalties(
  ranges: readonly PenalizedRange[],
  units: readonly PlannedCall[][],
  parameter: Emission['parameter'],
): Penalties | undefined {
  const terms = ranges.map(({ regularizer }) => termsOf(regularizer));
  const factors = terms.flatMap((each) => each.map(({ factor }) => factor));
  if (factors.length === 0) return undefined;
  const buffer = plainBuffer('penalties', 'program', { fixedBytes: 8 * factors.length });
  let word = 0;
  ranges.forEach(({ name, total, from, length, regularizer }, i) => {
    if (terms[i]!.length === 0) return;
    const weights = refTo(parameter(name), from);
    const spec: AddPenaltySpec = { kind: 'addPenalty', ...regularizer! };
    units[i]!.push({ spec, operands: [weights, refTo(total, from), length] });
    for (const { power } of terms[i]!) {
      const sum: SumPowersSpec = { kind: 'sumPowers', power };
      units[i]!.push({ spec: sum, operands: [weights, refTo(buffer, 2 * word), length] });
      word += 1;
    }
  });
  return { buffer, factors };
}

/** The penalty of one parameter's values in ranges of `range` elements: the terms that `addPenalties` measures. */
export function penaltyTerms(
  values: Float32Array,
  regularizer: Regularizer | undefined,
  range: number,
): { readonly factor: number; readonly sum: number }[] {
  const terms = termsOf(regularizer);
  const starts = Array.from({ length: Math.ceil(values.length / range) }, (_, i) => i * range);
  return starts.flatMap((from) =>
    terms.map(({ factor, power }) => ({
      factor,
      sum: sumPowers(values.subarray(from, from + range), power),
    })),
  );
}

function termsOf({ l1, l2 }: Regularizer = { l1: 0, l2: 0 }) {
  const terms = [
    { factor: l1, power: 1 },
    { factor: l2, power: 2 },
  ] as const;
  return terms.filter(({ factor }) => factor !== 0);
}
