import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import { CLIP, type ElementLossSpec, elementLossFamily } from '../../src/kernels/element-loss.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { elementLossTwin } from '../../src/kernels/simd/element-loss.ts';
import { check, randomNormals, uniforms } from '../helpers/arbitraries.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';
import { type LossCase, lossCases, scalesOf, sizeOf, targetsOf } from './loss-cases.ts';

const F64 = 2 ** -53;

const cases = fc
  .tuple(
    lossCases,
    fc.constantFrom(
      'meanSquaredError' as const,
      'meanAbsoluteError' as const,
      'huber' as const,
      'binaryCrossentropy' as const,
      'binaryCrossentropyLogits' as const,
    ),
    fc.constantFrom(0, 0.1, 1),
    fc.constantFrom(1, 0.3),
  )
  .filter(([{ views }]) => views.targets === 'dense' || views.input.channels === 1)
  .map(([subject, loss, labelSmoothing, delta]) => {
    const spec: ElementLossSpec = { kind: 'elementLoss', loss, labelSmoothing, delta, ...subject.views };
    return { subject, spec };
  });

function inputsOf({ seed }: LossCase, spec: ElementLossSpec, length: number): Float32Array {
  const random = uniforms(seed);
  if (spec.loss === 'binaryCrossentropy') return Float32Array.from({ length }, random);
  return randomNormals(seed, length).map((x) => 3 * x);
}

/** Loss and slope by their definitions, with JavaScript's own functions, and how large the terms are. */
function reference(spec: ElementLossSpec, x: number, truth: number) {
  const { delta, labelSmoothing: s } = spec;
  const t = spec.loss.startsWith('binary') ? (1 - s) * truth + s / 2 : truth;
  const d = x - t;
  const size = Math.abs(d);
  switch (spec.loss) {
    case 'meanSquaredError':
      return { loss: d * d, slope: 2 * d, size: size * size + size };
    case 'meanAbsoluteError':
      return { loss: size, slope: Math.sign(d), size };
    case 'huber':
      return size <= delta
        ? { loss: (d * d) / 2, slope: d, size: size * size + size }
        : { loss: delta * (size - delta / 2), slope: delta * Math.sign(d), size: size + 1 };
    case 'binaryCrossentropy': {
      const q = Math.min(1 - CLIP, Math.max(CLIP, x));
      const loss = -t * Math.log(q) - (1 - t) * Math.log1p(-q);
      const slope = q === x ? -t / q + (1 - t) / (1 - q) : 0;
      return { loss, slope, size: loss + 1 / q + 1 / (1 - q) };
    }
    case 'binaryCrossentropyLogits': {
      const loss = Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)));
      return { loss, slope: 1 / (1 + Math.exp(-x)) - t, size: Math.abs(x) + 2 };
    }
  }
}

test('losses, gradients, errors and hits are those of the definitions in f64', () => {
  check(cases, 200, ({ subject, spec }) => {
    const { all, channels } = sizeOf(subject);
    const { count } = subject;
    const elements = (all * channels) / Math.max(1, count);
    const input = inputsOf(subject, spec, all * channels);
    const targets = targetsOf(subject, 2);
    const sampleScale = scalesOf(subject);
    const results = runKernel(elementLossFamily, spec, { input, targets, sampleScale }, { count });
    for (let n = 0; n < count; n++) {
      let [loss, errors, hits, size] = [0, 0, 0, 0];
      for (let i = n * elements; i < (n + 1) * elements; i++) {
        const [x, truth] = [input[i]!, targets[i]!];
        const exact = reference(spec, x, truth);
        loss += exact.loss;
        size += exact.size;
        errors += Math.abs(x - truth);
        const above = spec.loss === 'binaryCrossentropyLogits' ? x > 0 : x > 0.5;
        if (spec.loss.startsWith('binary') && above === truth > 0.5) hits += 1;
        if (spec.gradInput === undefined) continue;
        const slope = (exact.slope * sampleScale[n]!) / elements;
        const roundoff = (20 * F64 * exact.size * sampleScale[n]!) / elements;
        const error = Math.abs(results.gradInput![i]! - slope);
        assert.ok(error <= UNIT_ROUNDOFF * Math.abs(slope) + roundoff + 2 ** -149, `${spec.loss}: ${error}`);
      }
      const bound = ((elements + 20) * F64 * size) / elements;
      assert.ok(Math.abs(results.losses![n]! - loss / elements) <= bound, spec.loss);
      assert.ok(Math.abs(results.errors![n]! - errors / elements) <= (elements + 3) * F64 * (errors + 1));
      assert.equal(results.correct![n], hits);
    }
  });
});

test('closed forms: a perfect answer costs nothing, logits of 0 cost ln 2, huge ones stay finite', () => {
  const view = { height: 1, width: 1, channels: 3, pixelStride: 3, rowStride: 3, imageStride: 3, halo: 0 };
  const run = (loss: ElementLossSpec['loss'], input: number[], targets: number[]) =>
    runKernel(
      elementLossFamily,
      {
        kind: 'elementLoss',
        loss,
        labelSmoothing: 0,
        delta: 1,
        targets: 'dense',
        input: view,
        gradInput: view,
      },
      { input, targets, sampleScale: [3] },
    );
  for (const loss of ['meanSquaredError', 'meanAbsoluteError', 'huber'] as const) {
    const { losses, gradInput } = run(loss, [1, -2, 0.5], [1, -2, 0.5]);
    assert.equal(losses![0], 0);
    assert.deepEqual([...gradInput!], [0, 0, 0]);
  }
  const even = run('binaryCrossentropyLogits', [0, 0, 0], [0, 1, 0.5]);
  assert.ok(Math.abs(even.losses![0]! - Math.LN2) < 1e-15);
  assert.deepEqual([...even.gradInput!], [0.5, -0.5, 0]);
  const huge = run('binaryCrossentropyLogits', [1e4, -1e4, 1e4], [1, 0, 0]);
  assert.equal(huge.losses![0], 1e4 / 3);
  assert.deepEqual([...huge.gradInput!], [0, 0, 1]);
  const held = run('binaryCrossentropy', [0, 1, 0], [0, 1, 1]);
  assert.deepEqual([...held.gradInput!], [0, 0, 0], 'what was held between the limits has no slope');
});

test('class indices need one channel', () => {
  const view = { height: 1, width: 1, channels: 2, pixelStride: 2, rowStride: 2, imageStride: 2, halo: 0 };
  const spec: ElementLossSpec = {
    kind: 'elementLoss',
    loss: 'binaryCrossentropy',
    labelSmoothing: 0,
    delta: 1,
    targets: 'index',
    input: view,
  };
  assert.throws(
    () => elementLossFamily.bind(spec, heapOf(new ArrayBuffer(8))),
    (error) => {
      assert.ok(error instanceof ShapeError);
      assert.match(
        error.message,
        /elementLoss: input: expected one channel where targets are class indices, got 2/,
      );
      return true;
    },
  );
});

test('the twin of elementLoss equals the scalar kernel', () => {
  check(cases, 150, ({ subject: { count, seed, views }, spec }) => {
    assertTwin(elementLossFamily, elementLossTwin, spec, {
      count,
      seed,
      specials: seed % 2 === 0,
      fill(name, heap, at, length, random) {
        if (name !== 'targets' || views.targets !== 'index') return;
        for (let i = at; i < at + length; i++) heap.i32[i] = Math.floor(random() * 3) - 1;
      },
    });
  });
});
