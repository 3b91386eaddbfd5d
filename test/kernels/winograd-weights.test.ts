/** Transformed weights: U = G g G^T in panels of 16 outputs, for both passes, flipped or not. */
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { panelWidths } from '../../src/kernels/conv2d-pack.ts';
import { LINE_FLOATS } from '../../src/kernels/winograd-geometry.ts';
import {
  type OutputTile,
  type WinogradMatrices,
  winogradMatrices,
} from '../../src/kernels/winograd-transforms.ts';
import { convGeometry } from '../../src/tensor/convolution.ts';
import { check, randomIntegers, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { absolute, type Values } from '../helpers/oracle.ts';
import { absoluteMatrices, product, realMatrices } from '../helpers/oracle-winograd.ts';
import { flipAndExchange, rotateTaps } from '../helpers/placement.ts';
import { transformWeights } from '../helpers/run-convolution.ts';
import { assertWithin, gamma } from '../helpers/tolerance.ts';

const cases = fc.record({
  inChannels: fc.integer({ min: 1, max: 37 }),
  outChannels: fc.integer({ min: 1, max: 37 }),
  outputTile: fc.constantFrom<OutputTile>(2, 4),
  seed: fc.nat(2 ** 31 - 10),
});

const geometryOf = (inChannels: number, filters: number) =>
  convGeometry('test', [8, 8, inChannels], { filters, kernelSize: 3 });

/** U of HWIO weights by f64 matrix products, [t*t][panel][C][width]. */
function transformedOracle(
  { g }: ReturnType<typeof realMatrices>,
  { tile }: WinogradMatrices,
  weight: Values,
  C: number,
  K: number,
): number[] {
  const transposed = g[0]!.map((_, j) => g.map((row) => row[j]!));
  const tiles = Array.from({ length: C * K }, (_, pair) => {
    const taps = [0, 1, 2].map((i) => [0, 1, 2].map((j) => weight[(i * 3 + j) * C * K + pair]!));
    return product(product(g, taps), transposed).flat();
  });
  const panels = panelWidths(K);
  return Array.from({ length: tile * tile }, (_, e) =>
    panels.map((width, panel) =>
      Array.from({ length: C * width }, (_, i) => {
        const k = panel * 16 + (i % width);
        return k < K ? tiles[Math.floor(i / width) * K + k]![e]! : 0;
      }),
    ),
  ).flat(2);
}

/** The transformed weights without the lines between their t*t matrices. */
function transformed(C: number, K: number, outputTile: OutputTile, weight: Float32Array): Float32Array {
  const gapped = transformWeights(geometryOf(C, K), outputTile, weight, 'forward');
  const slab = gapped.length / (outputTile + 2) ** 2;
  return gapped.filter((_, i) => i % slab < slab - LINE_FLOATS);
}

describe('transformed weights', () => {
  it('are G g G^T in panels of 16 outputs, zeros in the lanes beyond, within 7 roundings', () => {
    check(cases, 60, ({ inChannels: C, outChannels: K, outputTile, seed }) => {
      const weight = randomValues(seed, 9 * C * K);
      const matrices = winogradMatrices(outputTile);
      const real = realMatrices(matrices);
      const expected = transformedOracle(real, matrices, weight, C, K);
      const size = transformedOracle(absoluteMatrices(real), matrices, absolute(weight), C, K);
      // Three for each of the two transforms, one for the division.
      const bounds = size.map((value) => gamma(7) * value);
      assertWithin(transformed(C, K, outputTile, weight), expected, bounds);
    });
  });

  it('are exact on integers that the divisors divide', () => {
    check(cases, 30, ({ inChannels: C, outChannels: K, outputTile, seed }) => {
      const weight = randomIntegers(seed, 9 * C * K, 100).map((value) => value * 576);
      const matrices = winogradMatrices(outputTile);
      const expected = transformedOracle(realMatrices(matrices), matrices, weight, C, K).map(Math.round);
      assertSameValues(transformed(C, K, outputTile, weight), expected);
    });
  });

  it('for the input gradient are those of the flipped, channel-swapped weights', () => {
    check(cases, 40, ({ inChannels: C, outChannels: K, outputTile, seed }) => {
      const weight = randomValues(seed, 9 * C * K);
      const g = geometryOf(C, K);
      const swapped = flipAndExchange(weight, g);
      assertSameBits(
        transformWeights(g, outputTile, weight, 'inputGradient'),
        transformWeights(geometryOf(K, C), outputTile, swapped, 'forward'),
      );
    });
  });

  it('of a true convolution are those of the rotated weights, in both passes', () => {
    check(cases, 40, ({ inChannels: C, outChannels: K, outputTile, seed }) => {
      const weight = randomValues(seed, 9 * C * K);
      const g = geometryOf(C, K);
      for (const pass of ['forward', 'inputGradient'] as const) {
        assertSameBits(
          transformWeights(g, outputTile, weight, pass, true),
          transformWeights(g, outputTile, rotateTaps(weight, 9), pass, false),
        );
      }
    });
  });
});
