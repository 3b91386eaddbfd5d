/**
 * What the properties range over. Shapes come from fast-check, so that they shrink; values come from a
 * seed that fast-check draws, so that a failure replays.
 *
 * Domain: N 1-3, groups 1-4, C/g 1-4, K/g 1-3, kernel 1-5, stride and dilation 1-3, asymmetric pads 0-3,
 * H and W 1-12 with d(k-1)+1 <= H+p0+p1, views with more halo than needed and gaps between pixels,
 * magnitudes 10^-3 to 10^3.
 */
import fc from 'fast-check';
import { type ConvGeometry, convGeometry } from '../../src/tensor/convolution.ts';
import type { View } from '../../src/tensor/view.ts';

/** The default seed of every property; a failure prints the one to replay. */
export const SEED = 21;

/** Checks a property over `numRuns` draws, from the default seed. */
export function check<T>(subject: fc.Arbitrary<T>, numRuns: number, predicate: (value: T) => void): void {
  fc.assert(fc.property(subject, predicate), { numRuns, seed: SEED });
}

/** How much wider than necessary views are drawn. */
export interface Slack {
  /** Pixels of halo beyond those needed. */
  readonly halo: number;
  /** Floats of other channels between two pixels. */
  readonly gap: number;
}

/** One convolution to try. */
export interface ConvCase {
  readonly geometry: ConvGeometry;
  readonly count: number;
  /** Seeds the values. */
  readonly seed: number;
  readonly slack: Slack;
  readonly flip: boolean;
}

/** One axis of a convolution that has at least one output. */
interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** Limits of the domain; each defaults to that of the first comment. */
export interface Domain {
  readonly kernel?: readonly [number, number];
  readonly stride?: number;
  readonly dilation?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly inChannels?: number;
  readonly outChannels?: number;
  readonly count?: number;
  /** Largest height and width. */
  readonly size?: number;
}

function axes(domain: Domain): fc.Arbitrary<Axis> {
  const { kernel = [1, 5], stride = 3, dilation = 3, padding = 3, size = 12 } = domain;
  return fc
    .record({
      kernel: fc.integer({ min: kernel[0], max: kernel[1] }),
      stride: fc.integer({ min: 1, max: stride }),
      dilation: fc.integer({ min: 1, max: dilation }),
      before: fc.integer({ min: 0, max: padding }),
      after: fc.integer({ min: 0, max: padding }),
      spare: fc.nat(size - 1),
    })
    .filter((a) => a.dilation * (a.kernel - 1) + 1 <= size + a.before + a.after)
    .map(({ spare, ...axis }) => {
      const least = Math.max(1, axis.dilation * (axis.kernel - 1) + 1 - axis.before - axis.after);
      return { ...axis, size: least + (spare % (size - least + 1)) };
    });
}

/** Slack of the views. */
export const slacks: fc.Arbitrary<Slack> = fc.record({ halo: fc.nat(2), gap: fc.constantFrom(0, 0, 1, 3) });

/** Convolutions of the domain. */
export function convCases(domain: Domain = {}): fc.Arbitrary<ConvCase> {
  return fc
    .record({
      y: axes(domain),
      x: axes(domain),
      groups: fc.integer({ min: 1, max: domain.groups ?? 4 }),
      inner: fc.integer({ min: 1, max: domain.inChannels ?? 4 }),
      outer: fc.integer({ min: 1, max: domain.outChannels ?? 3 }),
      count: fc.integer({ min: 1, max: domain.count ?? 3 }),
      seed: fc.nat(2 ** 31 - 1),
      slack: slacks,
      flip: fc.boolean(),
    })
    .map(({ y, x, groups, inner, outer, ...rest }) => ({
      ...rest,
      geometry: convGeometry('test', [y.size, x.size, groups * inner], {
        filters: groups * outer,
        kernelSize: [y.kernel, x.kernel],
        strides: [y.stride, x.stride],
        dilationRate: [y.dilation, x.dilation],
        padding: { top: y.before, bottom: y.after, left: x.before, right: x.after },
        groups,
      }),
    }));
}

/** A view of `[height, width, channels]` with `slack` beyond the halo needed. */
export function slackView(height: number, width: number, channels: number, halo: number, slack: Slack): View {
  const pixelStride = channels + slack.gap;
  const wide = halo + slack.halo;
  const rowStride = (width + 2 * wide) * pixelStride;
  return {
    height,
    width,
    channels,
    pixelStride,
    rowStride,
    imageStride: (height + 2 * wide) * rowStride,
    halo: wide,
  };
}

/** Uniform numbers in [0, 1) of a seed: a 32-bit mixer over a counter (Steele et al., SplitMix). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** f32 numbers of either sign, magnitudes 10^low to 10^high, spread evenly over the exponents. */
export function randomValues(seed: number, length: number, low = -3, high = 3): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length }, () => (next() < 0.5 ? -1 : 1) * 10 ** (low + (high - low) * next()));
}

/** Integers from -magnitude to magnitude. */
export function randomIntegers(seed: number, length: number, magnitude: number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length }, () => Math.floor(next() * (2 * magnitude + 1)) - magnitude);
}

/** Standard normal deviates (Box and Muller). */
export function randomNormals(seed: number, length: number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

const SPECIALS = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** `randomValues` with one element in eight replaced by +-0, NaN or an infinity. */
export function specialValues(seed: number, length: number): Float32Array {
  const next = uniforms(seed ^ 0x5bd1e995);
  return randomValues(seed, length).map((value) =>
    next() < 0.125 ? SPECIALS[Math.floor(next() * SPECIALS.length)]! : value,
  );
}
