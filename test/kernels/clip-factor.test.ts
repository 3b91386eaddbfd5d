import assert from 'node:assert/strict';
import test from 'node:test';
import { clipFactorFamily } from '../../src/kernels/clip-factor.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';

function factorOf(limit: number, squares: readonly number[]): number {
  const { length } = squares;
  const arrays = { squares: Float64Array.from(squares) };
  const options = { count: length, literals: { length } };
  return runKernel(clipFactorFamily, { kind: 'clipFactor', limit }, arrays, options).factor![0]!;
}

test('a norm above the limit gets limit / norm, rounded once; one within it gets exactly 1', () => {
  assertSameBits([factorOf(1, [9, 16])], [Math.fround(1 / 5)]);
  assertSameBits([factorOf(2.5, [1, 4, 4, 7])], [0.625]);
  for (const squares of [[], [0], [16], [15, 0.999]]) assert.equal(factorOf(4, squares), 1);
  assertSameBits([factorOf(4, [16.000001])], [Math.fround(4 / Math.sqrt(16.000001))]);
});

test('sums are taken in order, in f64', () => {
  const squares = [1, 2 ** -53, 2 ** -53, 2 ** -53];
  assert.equal(factorOf(1, squares), 1, 'each small one is lost on its own');
  assertSameBits([factorOf(0.5, squares.toReversed())], [Math.fround(0.5 / Math.sqrt(1 + 2 ** -52))]);
});
