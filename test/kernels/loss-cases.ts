/** Random images for the losses' kernels: views with halos and gaps, targets of both kinds, f64 references. */
import fc from 'fast-check';
import type { LossViews } from '../../src/kernels/loss-arguments.ts';
import type { View } from '../../src/tensor/view.ts';
import { uniforms } from '../helpers/arbitraries.ts';

export interface LossCase {
  readonly views: LossViews;
  readonly count: number;
  readonly seed: number;
}

function viewOf(height: number, width: number, channels: number, halo: number, gap: number): View {
  const pixelStride = channels + gap;
  const rowStride = (width + 2 * halo) * pixelStride;
  return {
    height,
    width,
    channels,
    pixelStride,
    rowStride,
    imageStride: (height + 2 * halo) * rowStride,
    halo,
  };
}

export const lossCases: fc.Arbitrary<LossCase> = fc
  .record({
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 4 }),
    channels: fc.integer({ min: 1, max: 5 }),
    halo: fc.nat(1),
    gap: fc.nat(2),
    targets: fc.constantFrom('index' as const, 'dense' as const),
    gradient: fc.boolean(),
    count: fc.nat(3),
    seed: fc.nat(2 ** 30),
  })
  .map(({ height, width, channels, halo, gap, targets, gradient, count, seed }) => {
    const input = viewOf(height, width, channels, halo, gap);
    const gradInput = viewOf(height, width, channels, 1 - halo, 0);
    return { views: { input, targets, ...(gradient && { gradInput }) }, count, seed };
  });

/** Pixels of a case's batch, and channels. */
export function sizeOf({ views: { input }, count }: LossCase) {
  const pixels = input.height * input.width;
  return { pixels, channels: input.channels, all: count * pixels };
}

/** Class indices below `classes`, or distributions in f32 over the channels. */
export function targetsOf(subject: LossCase, classes: number): Int32Array | Float32Array {
  const { channels, all } = sizeOf(subject);
  const random = uniforms(subject.seed + 1);
  if (subject.views.targets === 'index') {
    return Int32Array.from({ length: all }, () => Math.floor(random() * classes));
  }
  const rows = Array.from({ length: all }, () => {
    const row = Array.from({ length: channels }, () => random() ** 3);
    const sum = channels === 1 ? 1 : row.reduce((a, b) => a + b);
    return row.map((value) => value / sum);
  });
  return Float32Array.from(rows.flat());
}

/** A dense target's entry, or an index's: 1 at its class; with one channel the index itself. */
export function targetAt({ views }: LossCase, targets: ArrayLike<number>, pixel: number, c: number): number {
  const { channels } = views.input;
  if (views.targets === 'dense') return targets[pixel * channels + c]!;
  if (channels === 1) return targets[pixel]!;
  return targets[pixel] === c ? 1 : 0;
}

/** Weights of samples. */
export function scalesOf({ seed, count }: LossCase): Float32Array {
  const random = uniforms(seed + 2);
  return Float32Array.from({ length: count }, () => 0.1 + random());
}
