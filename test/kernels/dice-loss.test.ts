import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type DiceLossSpec, diceLossFamily } from '../../src/kernels/dice-loss.ts';
import { diceLossTwin } from '../../src/kernels/simd/dice-loss.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, uniforms } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';
import { lossCases, scalesOf, sizeOf, targetAt, targetsOf } from './loss-cases.ts';

const F64 = 2 ** -53;

const cases = fc.tuple(lossCases, fc.constantFrom(1e-7, 1)).map(([subject, smooth]) => {
  const spec: DiceLossSpec = { kind: 'diceLoss', smooth, ...subject.views };
  return { subject, spec };
});

test('losses and gradients are those of the definition in f64', () => {
  check(cases, 150, ({ subject, spec }) => {
    const { all, channels, pixels } = sizeOf(subject);
    const { count } = subject;
    const random = uniforms(subject.seed);
    const input = Float32Array.from({ length: all * channels }, () => 0.05 + random());
    const targets = targetsOf(subject, Math.max(2, channels));
    const sampleScale = scalesOf(subject);
    const results = runKernel(diceLossFamily, spec, { input, targets, sampleScale }, { count });
    const elements = pixels * channels;
    for (let n = 0; n < count; n++) {
      const xs = [...input.subarray(n * elements, (n + 1) * elements)];
      const ts = xs.map((_, i) =>
        targetAt(subject, targets, n * pixels + Math.floor(i / channels), i % channels),
      );
      const top = 2 * xs.reduce((sum, x, i) => sum + x * ts[i]!, 0) + spec.smooth;
      const bottom = xs.reduce((sum, x, i) => sum + x + ts[i]!, 0) + spec.smooth;
      const roundings = (4 * elements + 20) * F64;
      assert.ok(Math.abs(results.losses![n]! - (1 - top / bottom)) <= roundings * 2);
      if (spec.gradInput === undefined) continue;
      xs.forEach((_, i) => {
        const g = ((top - 2 * ts[i]! * bottom) / bottom ** 2) * sampleScale[n]!;
        const size = ((top + 2 * ts[i]! * bottom) / bottom ** 2) * sampleScale[n]!;
        const error = Math.abs(results.gradInput![n * elements + i]! - g);
        assert.ok(
          error <= UNIT_ROUNDOFF * Math.abs(g) + roundings * size + 2 ** -149,
          `gradient off by ${error}`,
        );
      });
    }
  });
});

test('a perfect mask costs nothing, a disjoint one 1; hits are counted by pixel', () => {
  const run = (channels: number, input: number[], targets: number[], kind: 'index' | 'dense') =>
    runKernel(
      diceLossFamily,
      { kind: 'diceLoss', smooth: 0, targets: kind, input: denseView(1, 2, channels) },
      { input, targets, sampleScale: [1] },
    );
  const perfect = run(2, [1, 0, 0, 1], [0, 1], 'index');
  assert.deepEqual([perfect.losses![0], perfect.correct![0]], [0, 2]);
  const disjoint = run(2, [0, 1, 1, 0], [0, 1], 'index');
  assert.deepEqual([disjoint.losses![0], disjoint.correct![0]], [1, 0]);
  const half = run(1, [1, 1], [1, 0], 'dense');
  assert.deepEqual([half.losses![0], half.correct![0]], [1 - 2 / 3, 1]);
});

test('the twin of diceLoss equals the scalar kernel', () => {
  check(cases, 120, ({ subject: { count, seed, views }, spec }) => {
    assertTwin(diceLossFamily, diceLossTwin, spec, {
      count,
      seed,
      specials: seed % 2 === 0,
      fill(name, heap, at, length, random) {
        if (name !== 'targets' || views.targets !== 'index') return;
        for (let i = at; i < at + length; i++)
          heap.i32[i] = Math.floor(random() * (views.input.channels + 1));
      },
    });
  });
});
