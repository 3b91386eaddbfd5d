import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { dropoutForwardFamily } from '../../src/kernels/dropout-forward.ts';
import { type DropoutMaskSpec, dropoutMaskFamily } from '../../src/kernels/dropout-mask.ts';
import { type ScaleByMaskSpec, scaleByMaskFamily } from '../../src/kernels/scale-by-mask.ts';
import { dropoutMaskTwin } from '../../src/kernels/simd/dropout-mask.ts';
import { scaleByMaskTwin } from '../../src/kernels/simd/scale-by-mask.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { imagesCases } from '../helpers/elementwise.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { inPlace } from '../helpers/in-place.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const f = Math.fround;
const cases = fc.tuple(imagesCases, fc.constantFrom('channel', 'sample' as const), fc.boolean());

test('each channel, or each sample, is multiplied by its own number; written or added, in any layout', () => {
  check(cases, 100, ([{ views, elements, channels, count, seed }, per, accumulate]) => {
    const [input, output] = views;
    const spec: ScaleByMaskSpec = { kind: 'scaleByMask', per, input, output, accumulate };
    const values = specialValues(seed, elements);
    const mask = randomValues(seed + 1, count * (per === 'channel' ? channels : 1));
    const start = specialValues(seed + 2, elements);
    const results = runKernel(
      scaleByMaskFamily,
      spec,
      { input: values, mask, ...(accumulate && { output: start }) },
      { count },
    );
    const expected = values.map((x, i) => {
      const sample = Math.floor((i * count) / elements);
      const product = f(x * mask[per === 'channel' ? sample * channels + (i % channels) : sample]!);
      return accumulate ? f(start[i]! + product) : product;
    });
    assertSameBits(results.output!, expected);
  });
});

test('its twin equals the scalar kernel, in place too', () => {
  check(cases, 60, ([{ views, count, seed }, per, accumulate]) => {
    const [input, output] = views;
    const spec: ScaleByMaskSpec = { kind: 'scaleByMask', per, input, output, accumulate };
    const options = { count, seed, specials: seed % 2 === 0 };
    assert.ok(assertTwin(scaleByMaskFamily, scaleByMaskTwin, spec, options));
    const { family, twin } = inPlace(scaleByMaskFamily, scaleByMaskTwin, 'input', 'output');
    assert.ok(assertTwin(family, twin, { ...spec, output: input, accumulate: false }, options));
  });
});

test('a mask is that of dropout on as many elements', () => {
  const literals = { key0: 77, key1: 0x9e3779b9 | 0, firstSample: 5 };
  const step = Int32Array.of(12, 1);
  for (const [length, rate] of [
    [1, 0.5],
    [7, 0.25],
    [40, 0.9],
  ] as const) {
    const view = denseView(1, 1, length);
    const dropped = runKernel(
      dropoutForwardFamily,
      { kind: 'dropoutForward', rate, input: view, output: view },
      { input: new Float32Array(3 * length).fill(1), step },
      { count: 3, literals },
    );
    const spec: DropoutMaskSpec = { kind: 'dropoutMask', rate, length };
    assertSameBits(runKernel(dropoutMaskFamily, spec, { step }, { count: 3, literals }).mask!, dropped.mask!);
  }
});

test('the twin of the masks equals the scalar kernel', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 70 }), fc.nat(3), fc.nat(2 ** 31 - 1));
  check(sizes, 60, ([length, count, seed]) => {
    const rate = [0, 0.1, 0.5, 0.99][seed % 4]!;
    const literals = { key0: seed | 0, key1: (seed * 7) | 0, firstSample: seed % 1000 };
    const spec: DropoutMaskSpec = { kind: 'dropoutMask', rate, length };
    assert.ok(assertTwin(dropoutMaskFamily, dropoutMaskTwin, spec, { count, seed, literals }));
  });
});

test('images of other sizes, and rates that would leave nothing, are refused', () => {
  const spec: ScaleByMaskSpec = {
    kind: 'scaleByMask',
    per: 'sample',
    input: denseView(2, 2, 3),
    output: denseView(2, 2, 4),
    accumulate: false,
  };
  assert.throws(() => scaleByMaskTwin.emit(spec, BASELINE_TARGET), ShapeError);
  assert.throws(() => runKernel(scaleByMaskFamily, spec, {}), /needs an array/);
  const whole: DropoutMaskSpec = { kind: 'dropoutMask', rate: 1, length: 3 };
  assert.throws(() => dropoutMaskTwin.emit(whole, BASELINE_TARGET), ConfigError);
  assert.throws(() => runKernel(dropoutMaskFamily, whole, { step: Int32Array.of(0, 0) }), ConfigError);
});
