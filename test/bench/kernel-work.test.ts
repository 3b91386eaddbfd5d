import assert from 'node:assert/strict';
import test from 'node:test';
import { bytesOf, flopsOf, type WORKS, workOf } from '../../bench/kernel-work.ts';
import { notebookCalls } from '../../bench/notebook-program.ts';
import type { DenseWeightGradientSpec } from '../../src/kernels/dense-weight-gradient.ts';

/** Multiply-adds of an image in the notebook's convolutions, and of the first one, and in its dense layers. */
const CONVOLUTIONS = 38_633_472;
const FIRST_CONVOLUTION = 884_736;
const DENSE = 270_976;
const PARAMETERS = 558_186;
const BATCH = 8;

test("a step's calls add up to the notebook network's operations, kind by kind", async () => {
  const calls = (await notebookCalls({ mode: 'train', batchSize: BATCH })).filter(
    ({ phase }, i, all) => phase !== 'prepare' || i >= all.findIndex((call) => call.phase === 'shards'),
  );
  const flops = (work: (typeof WORKS)[number]) =>
    calls.filter((call) => workOf(call) === work).reduce((sum, call) => sum + flopsOf(call), 0);
  assert.equal(flops('convolution, forward'), 2 * BATCH * CONVOLUTIONS);
  assert.equal(flops('convolution, weight gradient'), 2 * BATCH * CONVOLUTIONS);
  assert.equal(flops('convolution, input gradient'), 2 * BATCH * (CONVOLUTIONS - FIRST_CONVOLUTION));
  assert.equal(flops('dense'), 3 * 2 * BATCH * DENSE);
  assert.equal(calls.filter((call) => workOf(call) === 'other').length, 0);
  const adam = calls.filter(({ spec }) => spec.kind === 'adam');
  assert.equal(
    adam.reduce((sum, call) => sum + flopsOf(call), 0),
    12 * PARAMETERS,
  );
  const hyper = 16 * adam.length;
  assert.equal(
    adam.reduce((sum, call) => sum + bytesOf(call), 0),
    7 * 4 * PARAMETERS + hyper,
  );
});

test('a part of a weight gradient counts as its part', () => {
  const spec: DenseWeightGradientSpec = {
    kind: 'denseWeightGradient',
    inFeatures: 64,
    outFeatures: 10,
    inputStride: 64,
    gradOutputStride: 10,
    accumulate: false,
  };
  const call = { spec, args: [0, 0, 0, 16, 8, 4] };
  assert.equal(flopsOf(call), 2 * 8 * 10 * 4);
  assert.equal(bytesOf(call), 4 * (4 * 64 + 4 * 10 + 8 * 10));
});

test('reducing shards reads those that hold gradients', () => {
  const spec = { kind: 'reduceShards', shards: 8, shardSize: 4, shardStride: 1000 };
  const call = { spec, args: [0, 0, 100, 10] };
  assert.equal(flopsOf(call), 2 * 100);
  assert.equal(bytesOf(call), 4 * 100 * (3 + 1));
});
