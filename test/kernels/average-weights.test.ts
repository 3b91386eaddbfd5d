import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type AverageWeightsSpec, averageWeightsFamily } from '../../src/kernels/average-weights.ts';
import { averageWeightsTwin } from '../../src/kernels/simd/average-weights.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { add, assertBounded, exactly, multiply, rounded } from '../helpers/running-error.ts';
import { assertTwin } from '../helpers/twin.ts';

const SPEC: AverageWeightsSpec = { kind: 'averageWeights' };

function step(average: Float32Array, param: Float32Array, momentum: number): Float32Array {
  const hyper = [Number.NaN, Number.NaN, momentum, 1 - momentum];
  const options = { count: param.length, literals: { length: param.length } };
  const results = runKernel(averageWeightsFamily, SPEC, { average, param, hyper }, options);
  return results.average as Float32Array;
}

test('with a momentum of 0 the average becomes the weights, bit for bit', () => {
  const param = randomValues(3, 40);
  assertSameBits(step(randomValues(4, 40), param, 0), param);
});

test('constant weights: the distance shrinks by the momentum at each step, exactly where f32 is exact', () => {
  const param = Float32Array.of(4, -8, 0);
  let average: Float32Array = new Float32Array(3);
  for (let t = 1; t <= 16; t++) {
    average = step(average, param, 0.5);
    for (let i = 0; i < 3; i++) assert.equal(average[i]! + 0, param[i]! * (1 - 0.5 ** t) + 0);
  }
});

test('given weights, 20 steps stay within the running bound of f64', () => {
  const length = 8;
  const start = randomValues(9, length);
  let average = start;
  let reference = [...start].map(exactly);
  for (let t = 1; t <= 20; t++) {
    const param = randomValues(9 + t, length);
    average = step(average, param, 0.9);
    reference = reference.map((each, i) =>
      add(multiply(rounded(0.9), each), multiply(rounded(1 - 0.9), exactly(param[i]!))),
    );
    for (let i = 0; i < length; i++) assertBounded(average[i]!, reference[i]!, `step ${t}, average[${i}]`);
  }
});

test('the twin of averageWeights equals the scalar kernel for every length', () => {
  check(fc.record({ length: fc.nat(50), seed: fc.nat() }), 60, ({ length, seed }) => {
    const options = { count: length, literals: { length }, seed, specials: true };
    assertTwin(averageWeightsFamily, averageWeightsTwin, SPEC, options);
  });
});
