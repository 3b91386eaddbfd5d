import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { batchNormBackwardFamily } from '../../src/kernels/batch-norm-backward.ts';
import { batchNormForwardFamily } from '../../src/kernels/batch-norm-forward.ts';
import { batchNormStatisticsFamily } from '../../src/kernels/batch-norm-statistics.ts';
import { batchNormSumsFamily } from '../../src/kernels/batch-norm-sums.ts';
import { channelMomentsFamily } from '../../src/kernels/channel-moments.ts';
import { movingAverageFamily } from '../../src/kernels/moving-average.ts';
import { batchNormBackwardTwin } from '../../src/kernels/simd/batch-norm-backward.ts';
import { batchNormForwardTwin } from '../../src/kernels/simd/batch-norm-forward.ts';
import { batchNormSumsTwin } from '../../src/kernels/simd/batch-norm-sums.ts';
import { channelMomentsTwin } from '../../src/kernels/simd/channel-moments.ts';
import { check, randomIntegers, randomNormals } from '../helpers/arbitraries.ts';
import { roundingBound } from '../helpers/conformance-bounds.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

/** Images, and groups of samples that begin somewhere in the batch. */
const cases = fc.tuple(imagesCases, fc.integer({ min: 1, max: 4 }), fc.nat(3), fc.boolean());

test('the twins equal the scalar kernels, in groups and in place too', () => {
  check(cases, 80, ([subject, groupSize, firstSample, flag]) => {
    const { views, count, seed } = subject;
    const [input, gradOutput, gradInput] = views;
    const groups = Math.max(1, Math.ceil((firstSample + count) / groupSize));
    const options = { count, seed, specials: seed % 2 === 0, literals: { firstSample } };
    const forward = {
      kind: 'batchNormForward',
      input,
      output: gradOutput,
      center: flag,
      groups,
      groupSize,
    } as const;
    const sums = { kind: 'batchNormSums', input, gradOutput, groups, groupSize } as const;
    const backward = {
      kind: 'batchNormBackward',
      input,
      gradOutput,
      gradInput,
      accumulate: flag,
      groups,
      groupSize,
    } as const;
    assert.ok(
      assertTwin(channelMomentsFamily, channelMomentsTwin, { kind: 'channelMoments', input }, options),
    );
    assert.ok(assertTwin(batchNormForwardFamily, batchNormForwardTwin, forward, options));
    assert.ok(assertTwin(batchNormSumsFamily, batchNormSumsTwin, sums, options));
    assert.ok(assertTwin(batchNormBackwardFamily, batchNormBackwardTwin, backward, options));
    const forwardInPlace = inPlace(batchNormForwardFamily, batchNormForwardTwin, 'input', 'output');
    assertTwin(forwardInPlace.family, forwardInPlace.twin, { ...forward, output: input }, options);
    const inGradient = inPlace(batchNormBackwardFamily, batchNormBackwardTwin, 'gradOutput', 'gradInput');
    const same = { ...backward, gradInput: gradOutput, accumulate: false };
    assertTwin(inGradient.family, inGradient.twin, same, options);
  });
});

test('moments of integers are exact', () => {
  check(imagesCases, 60, ({ views: [input], count, seed, elements, channels, height, width }) => {
    const values = randomIntegers(seed, elements, 50);
    const { moments } = runKernel(
      channelMomentsFamily,
      { kind: 'channelMoments', input },
      { input: values },
      { count },
    );
    const pixels = height * width;
    for (let n = 0; n < count; n++) {
      for (let c = 0; c < channels; c++) {
        const own = Array.from({ length: pixels }, (_, p) => values[(n * pixels + p) * channels + c]!);
        const first = own[0]!;
        const sum = own.reduce((total, x) => total + (x - first), 0);
        const squares = own.reduce((total, x) => total + (x - first) ** 2, 0);
        assert.equal(moments![2 * n * channels + c], first + sum / pixels);
        assert.equal(moments![(2 * n + 1) * channels + c], Math.max(0, squares - (sum * sum) / pixels));
      }
    }
  });
});

test('statistics of a range of channels leave the others alone, and the batch’s are those of its groups', () => {
  const [channels, count, pixels] = [5, 5, 3];
  const spec = {
    kind: 'batchNormStatistics',
    channels,
    pixels,
    epsilon: 0.5,
    scale: false,
    groups: 3,
    groupSize: 2,
  } as const;
  const moments = Float64Array.from(randomNormals(1, 2 * count * channels), Math.abs);
  const literals = { from: 1, length: 3 };
  const { statistics, batch } = runKernel(batchNormStatisticsFamily, spec, { moments }, { count, literals });
  for (const c of [0, 4]) {
    assert.ok([0, 5, 10, 15].every((plane) => Number.isNaN(statistics![plane + c]!)));
    // What the test writes there before is a huge number.
    assert.ok(Math.abs(batch![c]!) > 1e300);
  }
  for (const c of [1, 2, 3]) {
    const mean = (n: number) => moments[2 * n * channels + c]!;
    const spread = (n: number) => moments[(2 * n + 1) * channels + c]!;
    let [batchMean, batchVariance] = [0, 0];
    for (const [group, members] of [[0, 1], [2, 3], [4]].entries()) {
      const groupMean = members.reduce((sum, n) => sum + mean(n), 0) / members.length;
      const total = members.reduce((sum, n) => sum + spread(n) + pixels * (mean(n) - groupMean) ** 2, 0);
      const variance = total / (pixels * members.length);
      const at = group * 3 * channels + c;
      assert.ok(Math.abs(statistics![at]! - groupMean) <= roundingBound(Math.abs(groupMean)));
      const inverse = 1 / Math.sqrt(variance + 0.5);
      assert.ok(Math.abs(statistics![at + channels]! - inverse) <= roundingBound(inverse));
      assert.equal(statistics![at + 2 * channels], statistics![at + channels]);
      batchMean += (members.length / count) * groupMean;
      batchVariance += (members.length / count) * variance;
    }
    // Some thirty operations of f64 on numbers that are not negative.
    assert.ok(Math.abs(batch![c]! - batchMean) <= 2 ** -48 * batchMean);
    assert.ok(Math.abs(batch![channels + c]! - batchVariance) <= 2 ** -48 * batchVariance);
  }
});

test('a moving average keeps the share `momentum` of itself', () => {
  const average = Float32Array.of(1, -2, 0);
  const value = Float64Array.of(3, 4, 1e-50);
  const spec = { kind: 'movingAverage', momentum: 0.75 } as const;
  const result = runKernel(
    movingAverageFamily,
    spec,
    { average, value },
    { count: 3, literals: { length: 3 } },
  );
  assert.deepEqual([...result.average!], [1.5, -0.5, 0]);
});
