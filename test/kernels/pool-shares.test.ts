import assert from 'node:assert/strict';
import test from 'node:test';
import { packConv2d } from '../../src/kernels/conv2d-pack.ts';
import { type PoolSharesSpec, poolSharesFamily } from '../../src/kernels/pool-shares.ts';
import { poolSharesBackwardFamily } from '../../src/kernels/pool-shares-backward.ts';
import { convGeometry } from '../../src/tensor/convolution.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';

const CHANNELS = 7;
const TAPS = 6;
const geometry = convGeometry('test', [5, 5, CHANNELS], {
  filters: CHANNELS,
  groups: CHANNELS,
  kernelSize: [2, 3],
});
const weight = randomNormals(1, TAPS * CHANNELS);

/** Softmax over the taps of each channel, in f64. */
function shares(): Float64Array {
  const sums = new Float64Array(CHANNELS);
  weight.forEach((value, i) => {
    sums[i % CHANNELS]! += Math.exp(value);
  });
  return Float64Array.from(weight, (value, i) => Math.exp(value) / sums[i % CHANNELS]!);
}

for (const pass of ['forward', 'inputGradient'] as const) {
  test(`${pass}: the packed shares are those that the weights’ own packing would make of them`, () => {
    const spec: PoolSharesSpec = { kind: 'poolShares', geometry, pass };
    const packed = runKernel(poolSharesFamily, spec, { weight }).packed!;
    const plain = Float32Array.from(shares());
    const pack = { kind: 'packConv2d', geometry, pass, flip: false } as const;
    assertSameBits(packed, runKernel(packConv2d, pack, { weight: plain }).packed!);
    const given = [0.5, 0, 0.25, 0, 0.125, 0.125];
    const repeated = Float32Array.from(
      { length: TAPS * CHANNELS },
      (_, i) => given[Math.floor(i / CHANNELS)]!,
    );
    assertSameBits(
      runKernel(poolSharesFamily, { ...spec, shares: given }, {}).packed!,
      runKernel(packConv2d, pack, { weight: repeated }).packed!,
    );
  });
}

test('weights of any size make shares: 10,000 apart one takes all', () => {
  const extreme = Float32Array.from({ length: TAPS * CHANNELS }, (_, i) => (i < CHANNELS ? 1e4 : -1e4));
  const spec: PoolSharesSpec = { kind: 'poolShares', geometry, pass: 'forward' };
  const packed = runKernel(poolSharesFamily, spec, { weight: extreme }).packed!;
  assert.deepEqual([...new Set(packed)].sort(), [0, 1]);
});

test('the weights’ gradient sums to nothing over a window, written or added', () => {
  const gradShares = randomNormals(2, TAPS * CHANNELS);
  const spec = { kind: 'poolSharesBackward', taps: TAPS, channels: CHANNELS } as const;
  const arrays = { weight, gradShares };
  const written = runKernel(poolSharesBackwardFamily, { ...spec, accumulate: false }, arrays).gradWeight!;
  const start = randomNormals(3, TAPS * CHANNELS);
  const added = runKernel(
    poolSharesBackwardFamily,
    { ...spec, accumulate: true },
    { ...arrays, gradWeight: start },
  );
  assertSameBits(
    added.gradWeight!,
    written.map((value, i) => value + start[i]!),
  );
  for (let c = 0; c < CHANNELS; c++) {
    let [sum, size] = [0, 0];
    for (let t = 0; t < TAPS; t++) {
      sum += written[t * CHANNELS + c]!;
      size += Math.abs(written[t * CHANNELS + c]!);
    }
    assert.ok(Math.abs(sum) <= 2 ** -23 * size, `channel ${c}: ${sum}`);
  }
});
