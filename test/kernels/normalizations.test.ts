import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { groupNormBackwardFamily } from '../../src/kernels/group-norm-backward.ts';
import { groupNormGradientsFamily } from '../../src/kernels/group-norm-gradients.ts';
import { groupNormStatisticsFamily } from '../../src/kernels/group-norm-statistics.ts';
import {
  type LayerNormBackwardSpec,
  layerNormBackwardFamily,
} from '../../src/kernels/layer-norm-backward.ts';
import { type LayerNormForwardSpec, layerNormForwardFamily } from '../../src/kernels/layer-norm-forward.ts';
import { inversePower, ROOT_POWERS } from '../../src/kernels/local-response.ts';
import {
  type LocalResponseBackwardSpec,
  localResponseBackwardFamily,
} from '../../src/kernels/local-response-backward.ts';
import {
  type LocalResponseForwardSpec,
  localResponseForwardFamily,
} from '../../src/kernels/local-response-forward.ts';
import { groupNormBackwardTwin } from '../../src/kernels/simd/group-norm-backward.ts';
import { layerNormBackwardTwin } from '../../src/kernels/simd/layer-norm-backward.ts';
import { layerNormForwardTwin } from '../../src/kernels/simd/layer-norm-forward.ts';
import { localResponseBackwardTwin } from '../../src/kernels/simd/local-response-backward.ts';
import { localResponseForwardTwin } from '../../src/kernels/simd/local-response-forward.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomIntegers, randomNormals } from '../helpers/arbitraries.ts';
import { roundingBound } from '../helpers/conformance-bounds.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const flags = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());

test('group normalisation: the twin equals the scalar kernel, in place too', () => {
  check(fc.tuple(imagesCases, fc.boolean()), 60, ([{ views, count, seed }, accumulate]) => {
    const [input, gradOutput, gradInput] = views;
    const options = { count, seed, specials: seed % 2 === 0 };
    const spec = { kind: 'groupNormBackward', input, gradOutput, gradInput, accumulate } as const;
    assert.ok(assertTwin(groupNormBackwardFamily, groupNormBackwardTwin, spec, options));
    const { family, twin } = inPlace(
      groupNormBackwardFamily,
      groupNormBackwardTwin,
      'gradOutput',
      'gradInput',
    );
    assertTwin(family, twin, { ...spec, gradInput: gradOutput, accumulate: false }, options);
  });
});

test('layer normalisation: the twins equal the scalar kernels, over channels and images, in place too', () => {
  const cases = fc.tuple(imagesCases, flags, fc.boolean(), fc.constantFrom('channels', 'image' as const));
  check(cases, 60, ([{ views, count, seed }, [scale, center, accumulate], accumulateParameters, over]) => {
    const [input, gradOutput, gradInput] = views;
    const options = { count, seed, specials: seed % 2 === 0 };
    const forward: LayerNormForwardSpec = {
      kind: 'layerNormForward',
      input,
      output: gradOutput,
      over,
      epsilon: 1e-3,
      scale,
      center,
    };
    assert.ok(assertTwin(layerNormForwardFamily, layerNormForwardTwin, forward, options));
    const together = inPlace(layerNormForwardFamily, layerNormForwardTwin, 'input', 'output');
    assertTwin(together.family, together.twin, { ...forward, output: input }, options);
    const backward: LayerNormBackwardSpec = {
      kind: 'layerNormBackward',
      input,
      gradOutput,
      gradInput,
      over,
      scale,
      gradScale: scale && seed % 3 > 0,
      gradCenter: center,
      accumulate,
      accumulateParameters,
    };
    assert.ok(assertTwin(layerNormBackwardFamily, layerNormBackwardTwin, backward, options));
    const inGradient = inPlace(layerNormBackwardFamily, layerNormBackwardTwin, 'gradOutput', 'gradInput');
    const same = { ...backward, gradInput: gradOutput, accumulate: false };
    assertTwin(inGradient.family, inGradient.twin, same, options);
  });
});

test('local response: the twins equal the scalar kernels, or leave other powers to them', () => {
  const numbers = fc.record({
    depthRadius: fc.nat(5),
    bias: fc.constantFrom(0.5, 1),
    alpha: fc.constantFrom(0, 0.01, 1),
    beta: fc.constantFrom(0.5, 0.75, 1, 0.6),
  });
  check(fc.tuple(imagesCases, numbers, fc.boolean()), 60, ([{ views, count, seed }, own, accumulate]) => {
    const [input, gradOutput, gradInput] = views;
    const options = { count, seed, specials: seed % 2 === 0 };
    const served = ROOT_POWERS.includes(own.beta);
    const forward: LocalResponseForwardSpec = {
      kind: 'localResponseForward',
      ...own,
      input,
      output: gradOutput,
    };
    assert.equal(assertTwin(localResponseForwardFamily, localResponseForwardTwin, forward, options), served);
    const backward: LocalResponseBackwardSpec = {
      kind: 'localResponseBackward',
      ...own,
      input,
      gradOutput,
      gradInput,
      accumulate,
    };
    assert.equal(
      assertTwin(localResponseBackwardFamily, localResponseBackwardTwin, backward, options),
      served,
    );
    if (!served) return;
    const together = inPlace(localResponseForwardFamily, localResponseForwardTwin, 'input', 'output');
    assertTwin(together.family, together.twin, { ...forward, output: input }, options);
    const inGradient = inPlace(
      localResponseBackwardFamily,
      localResponseBackwardTwin,
      'gradOutput',
      'gradInput',
    );
    const same = { ...backward, gradInput: gradOutput, accumulate: false };
    assertTwin(inGradient.family, inGradient.twin, same, options);
  });
});

test('powers by roots are those of pow, to a few units of f64', () => {
  for (const base of [1e-3, 0.5, 1, 1.7, 123.4, 1e20]) {
    for (const beta of ROOT_POWERS) {
      const exact = base ** -beta;
      assert.ok(Math.abs(inversePower(base, beta) - exact) <= 2 ** -50 * exact, `${base}^-${beta}`);
    }
  }
});

test('the statistics of a group are those of all its numbers; each channel has them', () => {
  const [channels, channelsPerGroup, pixels, count] = [6, 3, 5, 2];
  const values = randomIntegers(3, count * pixels * channels, 50);
  const moments = new Float64Array(2 * count * channels);
  const at = (n: number, c: number) =>
    Array.from({ length: pixels }, (_, p) => values[(n * pixels + p) * channels + c]!);
  const meanOf = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const spreadOf = (numbers: number[]) => numbers.reduce((sum, x) => sum + (x - meanOf(numbers)) ** 2, 0);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      moments[2 * n * channels + c] = meanOf(at(n, c));
      moments[(2 * n + 1) * channels + c] = spreadOf(at(n, c));
    }
  }
  const gamma = randomNormals(4, channels);
  const spec = { channels, channelsPerGroup, pixels, epsilon: 0.25, scale: true };
  const { statistics } = runKernel(
    groupNormStatisticsFamily,
    { kind: 'groupNormStatistics', ...spec },
    { moments, gamma },
    { count },
  );
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const first = c - (c % channelsPerGroup);
      const own = [0, 1, 2].flatMap((j) => at(n, first + j));
      const inverse = 1 / Math.sqrt(spreadOf(own) / own.length + 0.25);
      const [mean, found, scaled] = [0, 1, 2].map((plane) => statistics![(3 * n + plane) * channels + c]!);
      // A mean may be small where its numbers are not: their sums are those of f64.
      assert.ok(Math.abs(mean! - meanOf(own)) <= roundingBound(Math.abs(meanOf(own))) + 2 ** -48 * 50);
      assert.ok(Math.abs(found! - inverse) <= roundingBound(inverse));
      assert.ok(Math.abs(scaled! - gamma[c]! * inverse) <= roundingBound(Math.abs(gamma[c]! * inverse)));
    }
  }
});

test('a group’s coefficients are means over its channels, and gradients add up over samples', () => {
  const [channels, channelsPerGroup, pixels, count] = [4, 2, 3, 2];
  // sums of dY are 1 + c + 10 n, those of dY (x - mean) twice that; inverse is 0.5, gamma 1, 2, 3, 4.
  const sums = Float64Array.from({ length: 2 * count * channels }, (_, i) => {
    const [n, plane, c] = [Math.floor(i / 8), Math.floor(i / 4) % 2, i % 4];
    return (1 + plane) * (1 + c + 10 * n);
  });
  const statistics = new Float32Array(3 * count * channels).fill(0.5);
  const spec = {
    kind: 'groupNormGradients',
    channels,
    channelsPerGroup,
    pixels,
    scale: true,
    gradScale: true,
    gradCenter: true,
    accumulate: true,
  } as const;
  const results = runKernel(
    groupNormGradientsFamily,
    spec,
    {
      sums,
      statistics,
      gamma: Float32Array.of(1, 2, 3, 4),
      gradGamma: Float32Array.of(100, 0, 0, 0),
      gradBeta: Float32Array.of(0, 0, 0, 100),
    },
    { count },
  );
  assert.deepEqual([...results.gradGamma!], [112, 14, 16, 18]);
  assert.deepEqual([...results.gradBeta!], [12, 14, 16, 118]);
  const mean = (a: number, b: number) => Math.fround((a + b) / 6);
  const expected = [
    [mean(1, 4), mean(9, 16)],
    [mean(1, 4), mean(9, 16)],
    [mean(11, 24), mean(39, 56)],
    [mean(11, 24), mean(39, 56)],
  ].flatMap(([first, second]) => [first, first, second, second]);
  assert.deepEqual([...results.coefficients!], expected);
});

test('images of other sizes, and numbers that make no sense, are refused', () => {
  const [input, output] = [denseView(2, 2, 3), denseView(2, 2, 4)];
  const forward: LayerNormForwardSpec = {
    kind: 'layerNormForward',
    input,
    output,
    over: 'channels',
    epsilon: 0,
    scale: false,
    center: false,
  };
  assert.throws(() => layerNormForwardTwin.emit(forward, BASELINE_TARGET), ShapeError);
  assert.throws(
    () => runKernel(layerNormForwardFamily, forward, { input: new Float32Array(12) }),
    ShapeError,
  );
  const local = { kind: 'localResponseForward', depthRadius: 1, bias: 1, alpha: 1, beta: 1, input } as const;
  for (const wrong of [{ depthRadius: -1 }, { bias: 0 }, { alpha: -1 }, { beta: Number.NaN }]) {
    const spec: LocalResponseForwardSpec = { ...local, ...wrong, output: input };
    assert.throws(() => localResponseForwardTwin.emit(spec, BASELINE_TARGET), ConfigError);
  }
});
