/**
 * Norms of gradients, and clipping by them. Each range's sum of squares is taken where the range is reduced; a factor
 * adds them up in the order of the ranges, in one unit: neither depends on who computed what.
 */
import type { ClampValuesSpec } from '../kernels/clamp-values.ts';
import type { ClipFactorSpec } from '../kernels/clip-factor.ts';
import type { ScaleValuesSpec } from '../kernels/scale-values.ts';
import type { SumPowersSpec } from '../kernels/sum-powers.ts';
import type { PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import { plainBuffer, refTo } from './buffers.ts';
import type { ClipPlan } from './contracts.ts';

/** Sums of squares, f64: those of one parameter's ranges lie together. */
export interface Squares {
  readonly buffer: PlannedBuffer;
  /** Full name of the parameter of each sum. */
  readonly subjects: readonly string[];
}

/** A part of a gradient that is reduced and applied by one unit. */
interface GradientRange {
  readonly name: string;
  readonly total: PlannedBuffer;
  readonly from: number;
  readonly length: number;
}

/** Adds to each range's unit the sum of its squares. */
export function measureSquares(ranges: readonly GradientRange[], units: readonly PlannedCall[][]): Squares {
  const buffer = plainBuffer('squares', 'program', { fixedBytes: 8 * ranges.length });
  const spec: SumPowersSpec = { kind: 'sumPowers', power: 2 };
  ranges.forEach(({ total, from, length }, i) => {
    units[i]!.push({ spec, operands: [refTo(total, from), refTo(buffer, 2 * i), length] });
  });
  return { buffer, subjects: ranges.map(({ name }) => name) };
}

/** The units that work out the factors, and what a range's update begins with. */
export interface Clipping {
  readonly units: readonly (readonly PlannedCall[])[];
  callsFor(range: GradientRange): PlannedCall[];
}

/** Plans the clipping; nothing where there is none. `squares` are needed for norms. */
export function clipPhase(clip: ClipPlan | undefined, squares: Squares | undefined): Clipping {
  if (clip === undefined) return { units: [], callsFor: () => [] };
  const { by, limit } = clip;
  if (by === 'value') {
    const spec: ClampValuesSpec = { kind: 'clampValues', limit };
    const callsFor = ({ total, from, length }: GradientRange) => [
      { spec, operands: [refTo(total, from), length] },
    ];
    return { units: [], callsFor };
  }
  const { buffer, subjects } = squares!;
  const names = [...new Set(subjects)];
  const factors = plainBuffer('clipFactors', 'program', { fixedBytes: 4 * names.length });
  const spec: ClipFactorSpec = { kind: 'clipFactor', limit };
  const factor = (first: number, length: number, to: number): PlannedCall[] => [
    { spec, operands: [refTo(buffer, 2 * first), refTo(factors, to), length] },
  ];
  const global = by === 'globalNorm';
  const units = global
    ? [factor(0, subjects.length, 0)]
    : names.map((name, i) => {
        const first = subjects.indexOf(name);
        return factor(first, subjects.lastIndexOf(name) + 1 - first, i);
      });
  const scaling: ScaleValuesSpec = { kind: 'scaleValues' };
  return {
    units: subjects.length === 0 ? [] : units,
    callsFor({ name, total, from, length }) {
      const at = refTo(factors, global ? 0 : names.indexOf(name));
      return [{ spec: scaling, operands: [refTo(total, from), at, length] }];
    },
  };
}
