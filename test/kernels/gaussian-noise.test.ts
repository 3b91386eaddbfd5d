import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { type GaussianNoiseSpec, gaussianNoiseFamily } from '../../src/kernels/gaussian-noise.ts';
import { gaussianNoiseTwin } from '../../src/kernels/simd/gaussian-noise.ts';
import { normal } from '../../src/math/random.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomValues } from '../helpers/arbitraries.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

test('each element gets its own deviate, whatever the layouts and the place in the batch', () => {
  check(imagesCases, 60, ({ views: [input, output], elements, count, seed }) => {
    const spec: GaussianNoiseSpec = { kind: 'gaussianNoise', stddev: 0.75, input, output };
    const values = randomValues(seed, elements);
    const [key0, key1] = [seed | 0, (seed * 3) | 0];
    const results = runKernel(
      gaussianNoiseFamily,
      spec,
      { input: values, step: Int32Array.of(9, 2) },
      { count, literals: { key0, key1, firstSample: 4 } },
    );
    const length = elements / Math.max(1, count);
    const expected = values.map(
      (x, i) => x + 0.75 * normal([key0, key1], i % length, 4 + Math.floor(i / length), 9, 2),
    );
    assertSameBits(results.output!, expected);
  });
});

test('images of other sizes, and deviations that are none, are refused', () => {
  const view = denseView(2, 2, 3);
  const arrays = { input: new Float32Array(12), step: Int32Array.of(0, 0) };
  const spec: GaussianNoiseSpec = {
    kind: 'gaussianNoise',
    stddev: 1,
    input: view,
    output: denseView(2, 2, 4),
  };
  assert.throws(() => runKernel(gaussianNoiseFamily, spec, arrays), ShapeError);
  for (const stddev of [-1, Number.NaN, Infinity]) {
    const bad = { ...spec, stddev, output: view };
    assert.throws(() => runKernel(gaussianNoiseFamily, bad, arrays), ConfigError);
  }
});

const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const literals = fc.record({ key0: words, key1: words, firstSample: fc.oneof(fc.nat(50_000), words) });
const deviations = fc.constantFrom(0, 1e-3, 0.75, 40);

test('the SIMD twin has the bits of the scalar kernel, in place too, for any layout, key and step', () => {
  check(fc.tuple(imagesCases, literals, deviations), 80, ([subject, address, stddev]) => {
    const [input, output] = subject.views;
    const spec: GaussianNoiseSpec = { kind: 'gaussianNoise', stddev, input, output };
    const options = { count: subject.count, seed: subject.seed, specials: true, literals: address };
    assert.ok(assertTwin(gaussianNoiseFamily, gaussianNoiseTwin, spec, options));
    const same = inPlace(gaussianNoiseFamily, gaussianNoiseTwin, 'input', 'output');
    assertTwin(same.family, same.twin, { ...spec, output: input }, options);
  });
});
