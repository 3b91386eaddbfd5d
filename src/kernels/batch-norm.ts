/**
 * What the kernels of batch normalisation share: which samples are normalised together, and the statistics.
 *
 * A **group** is `groupSize` samples that follow each other, the last one perhaps fewer; the whole batch is one group,
 * a ghost batch (Hoffer, Hubara, Soudry, "Train longer, generalize better", 2017) a smaller one.
 *
 *   statistics  f32 [groups, 3, C]: mean, inverse = 1 / sqrt(variance + epsilon), scale = gamma * inverse
 */
import { f32Buffer } from './kernel.ts';

/** How the samples of a batch form groups. */
export interface SampleGroups {
  /** Groups of a full batch. */
  readonly groups: number;
  /** Samples of a group. */
  readonly groupSize: number;
}

/** Planes of the statistics. */
export const PLANES = 3;

/** The statistics as an argument. */
export function statisticsBuffer(access: 'in' | 'out', { groups }: SampleGroups, channels: number) {
  return f32Buffer('statistics', access, () => groups * PLANES * channels);
}

/** Writes one group's f32 numbers of a channel from f64 ones. */
export function writeStatistics(
  f32: Float32Array,
  at: number,
  channels: number,
  of: { readonly mean: number; readonly variance: number; readonly epsilon: number; readonly gamma: number },
): void {
  const inverse = 1 / Math.sqrt(of.variance + of.epsilon);
  f32[at] = of.mean;
  f32[at + channels] = inverse;
  f32[at + 2 * channels] = of.gamma * inverse;
}
