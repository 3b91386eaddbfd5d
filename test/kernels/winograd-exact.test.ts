/**
 * Winograd without tolerance (the numerics' item 16): on integers scaled so that G's fractions vanish, every
 * step is exact, and all three passes equal the oracle at every residue of H and W mod m and every border.
 *
 * F(2,3) needs no scale: its sums are multiples of 1/4. F(4,3) at the points 0, +-1, +-2 divides by at most
 * 24 * 24 = 576, so one operand of the products is a multiple of 576.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutputTile } from '../../src/kernels/winograd-transforms.ts';
import { type ConvGeometry, convGeometry } from '../../src/tensor/convolution.ts';
import { check, convCases, randomIntegers } from '../helpers/arbitraries.ts';
import { assertSameValues } from '../helpers/exact.ts';
import { drawArrays, oraclePass, PASSES, type PassName } from '../helpers/oracle-checks.ts';
import { winograd, winogradMagnitudes } from '../helpers/oracle-winograd.ts';

/** What one operand is multiplied by. */
const SCALE = { 2: 1, 4: 576 } as const;

/**
 * Throws unless f32 holds every intermediate sum of a pass on scaled integers, S_w up to `magnitude`. The
 * sums are multiples of 1/4 for F(2,3) and integers for F(4,3).
 */
function assertHeld(outputTile: OutputTile, magnitude: number): void {
  assert.ok(magnitude <= (outputTile === 2 ? 2 ** 22 : 2 ** 24), `sums up to ${magnitude} are not exact`);
}

/** Runs a pass on integers and compares it with the oracle, once it is sure that f32 holds all sums. */
function assertExact(
  outputTile: OutputTile,
  pass: PassName,
  geometry: ConvGeometry,
  seed: number,
  count: number,
): void {
  const tried = { geometry, count, seed, flip: seed % 2 === 1, slack: { halo: seed % 3, gap: 0 } };
  const { input, weight, gradOutput } = drawArrays(tried, (s, length) => randomIntegers(s, length, 1));
  const scaled = (values: Float32Array) => values.map((value) => value * SCALE[outputTile]);
  const [a, b] =
    pass === 'weightGradient'
      ? [input, scaled(gradOutput)]
      : [pass === 'forward' ? input : gradOutput, scaled(weight)];
  const magnitude = Math.max(...winogradMagnitudes(outputTile, pass, tried, a, b));
  assertHeld(outputTile, magnitude);
  const actual = winograd(outputTile)[pass](geometry, a, b, tried);
  const expected = oraclePass(pass, tried, a, b, new Float32Array(actual.length));
  assertSameValues(actual, expected, `${pass} of ${JSON.stringify(geometry)}`);
}

const PADDINGS = [
  { top: 0, right: 0, bottom: 0, left: 0 },
  { top: 1, right: 1, bottom: 1, left: 1 },
  { top: 2, right: 0, bottom: 1, left: 3 },
  { top: 0, right: 3, bottom: 2, left: 1 },
];

for (const outputTile of [2, 4] as const) {
  describe(`F(${outputTile},3) on integers`, () => {
    for (const pass of PASSES) {
      it(`16: ${pass} is exact at every residue of H and W and every border`, () => {
        let seed = 21;
        for (let height = 3; height < 3 + 2 * outputTile; height++) {
          for (let width = 3; width < 3 + 2 * outputTile; width++) {
            for (const padding of PADDINGS) {
              const geometry = convGeometry('test', [height, width, 2], {
                filters: 3,
                kernelSize: 3,
                padding,
              });
              assertExact(outputTile, pass, geometry, seed++, 1);
            }
          }
        }
      });

      it(`16: ${pass} is exact on random geometries`, () => {
        const domain = {
          kernel: [3, 3],
          stride: 1,
          dilation: 1,
          groups: 1,
          inChannels: 3,
          outChannels: 3,
        } as const;
        check(convCases({ ...domain, count: 2 }), 80, ({ geometry, seed, count }) => {
          assertExact(outputTile, pass, geometry, seed, count);
        });
      });
    }
  });
}
