import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { softmaxCrossEntropyTwin } from '../../src/kernels/simd/softmax-cross-entropy.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import {
  type SoftmaxCrossEntropySpec,
  softmaxCrossEntropyFamily,
} from '../../src/kernels/softmax-cross-entropy.ts';
import { check, randomIntegers, randomNormals, uniforms } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import type { Values } from '../helpers/oracle.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const F64_ROUNDOFF = 2 ** -53;

const cases = fc
  .record({
    classes: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(100)),
    slack: fc.nat(3),
    labelSmoothing: fc.constantFrom(0, 0, 0.1, 0.5, 1),
    targets: fc.constantFrom('index' as const, 'dense' as const),
    gradient: fc.boolean(),
    count: fc.nat(4),
    scale: fc.constantFrom(1, 8, 1e4),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ classes, slack, labelSmoothing, targets, gradient, ...rest }) => {
    const logitsStride = classes + slack;
    const spec: SoftmaxCrossEntropySpec = {
      kind: 'softmaxCrossEntropy',
      classes,
      logitsStride,
      targets,
      labelSmoothing,
      gradient,
    };
    return { spec, ...rest };
  });
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

interface Results {
  readonly losses: Float64Array;
  readonly correct: Int32Array;
  readonly gradLogits: Float32Array;
}

/** Runs on logits without gaps, and takes the gaps out of the gradient. */
function run(spec: SoftmaxCrossEntropySpec, logits: Values, targets: Values, sampleScale?: Values): Results {
  const { classes, logitsStride } = spec;
  const count = logits.length / classes;
  const spread = new Float32Array(count === 0 ? 0 : (count - 1) * logitsStride + classes).fill(Number.NaN);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < classes; c++) spread[n * logitsStride + c] = logits[n * classes + c]!;
  }
  const arrays = { logits: spread, targets, sampleScale: sampleScale ?? new Float32Array(count).fill(1) };
  const results = runKernel(softmaxCrossEntropyFamily, spec, arrays, { count }) as unknown as Results;
  if (!spec.gradient) return results;
  const gradLogits = Float32Array.from(
    { length: count * classes },
    (_, i) => results.gradLogits[Math.floor(i / classes) * logitsStride + (i % classes)]!,
  );
  return { ...results, gradLogits };
}

function logitsOf({ spec, count, scale, seed }: Case): Float32Array {
  return randomNormals(seed, count * spec.classes).map((x) => x * scale);
}

/** Class numbers, or distributions in f32 that need not sum to exactly 1. */
function targetsOf({ spec: { classes, targets }, count, seed }: Case): Values {
  const random = uniforms(seed + 1);
  if (targets === 'index') return Int32Array.from({ length: count }, () => Math.floor(random() * classes));
  const rows = Array.from({ length: count }, () => {
    const row = Array.from({ length: classes }, () => random() ** 3);
    const sum = row.reduce((a, b) => a + b);
    return row.map((value) => value / sum);
  });
  return Float32Array.from(rows.flat());
}

/** t[c] of sample n. */
function targetRow({ classes, targets, labelSmoothing }: SoftmaxCrossEntropySpec, values: Values, n: number) {
  return Array.from({ length: classes }, (_, c) => {
    const target = targets === 'dense' ? values[n * classes + c]! : values[n] === c ? 1 : 0;
    return (1 - labelSmoothing) * target + labelSmoothing / classes;
  });
}

/** The definition in f64, with JavaScript's own exp and log. */
function reference(logits: number[], t: number[]) {
  const max = Math.max(...logits);
  const exponentials = logits.map((x) => Math.exp(x - max));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const logSum = Math.log(sum);
  const terms = logits.map((x, c) => t[c]! * (logSum - (x - max)));
  return { loss: terms.reduce((a, b) => a + b, 0), probabilities: exponentials.map((e) => e / sum) };
}

test('losses and gradients are those of the definition in f64', () => {
  check(cases, 150, (subject) => {
    const { spec, count } = subject;
    const { classes } = spec;
    const logits = logitsOf(subject);
    const targets = targetsOf(subject);
    const random = uniforms(subject.seed + 2);
    const scales = Float32Array.from({ length: count }, () => 2 * random());
    const results = run(spec, logits, targets, scales);
    for (let n = 0; n < count; n++) {
      const row = [...logits.subarray(n * classes, (n + 1) * classes)];
      const t = targetRow(spec, targets, n);
      const { loss, probabilities } = reference(row, t);
      // Sums of `classes` terms, each from functions of an ulp or two: in units of f64's roundoff.
      const roundings = (2 * classes + 20) * F64_ROUNDOFF;
      assert.ok(
        Math.abs(results.losses[n]! - loss) <= roundings * (1 + loss),
        `loss ${results.losses[n]} is not ${loss}`,
      );
      if (!spec.gradient) continue;
      for (let c = 0; c < classes; c++) {
        const exact = (probabilities[c]! - t[c]!) * scales[n]!;
        const bound = UNIT_ROUNDOFF * Math.abs(exact) + roundings * scales[n]! + 2 ** -149;
        const received = results.gradLogits[n * classes + c]!;
        assert.ok(Math.abs(received - exact) <= bound, `gradient ${received} is not ${exact}`);
      }
    }
  });
});

test('the gradient is the derivative of the losses', () => {
  const h = 2 ** -10;
  const spec: SoftmaxCrossEntropySpec = {
    kind: 'softmaxCrossEntropy',
    classes: 7,
    logitsStride: 7,
    targets: 'index',
    labelSmoothing: 0.1,
    gradient: true,
  };
  const logits = randomNormals(8, 35).map((x) => Math.round(x * 2 ** 10) / 2 ** 10);
  const targets = Int32Array.of(0, 6, 3, 3, 1);
  const { gradLogits } = run(spec, logits, targets);
  gradLogits.forEach((g, i) => {
    const lossAt = (shift: number) =>
      run(
        spec,
        logits.map((x, j) => (i === j ? x + shift : x)),
        targets,
      ).losses[Math.floor(i / 7)]!;
    const difference = (lossAt(h) - lossAt(-h)) / (2 * h);
    // The third derivative of log-sum-exp, p (1-p) (1-2p), stays below 0.0963.
    const bound = ((h * h) / 6) * 0.0963 + UNIT_ROUNDOFF * Math.abs(g) + (100 * F64_ROUNDOFF) / h;
    assert.ok(Math.abs(g - difference) <= bound, `gradient ${g} against ${difference}`);
  });
});

test('21: a row of gradients sums to 0 within 2 C u', (t) => {
  let worst = 0;
  check(cases, 100, (subject) => {
    const spec = { ...subject.spec, gradient: true, targets: 'index' as const };
    const { gradLogits } = run(spec, logitsOf(subject), targetsOf({ ...subject, spec }));
    for (let n = 0; n < subject.count; n++) {
      const row = gradLogits.subarray(n * spec.classes, (n + 1) * spec.classes);
      const sum = row.reduce((total, g) => total + g, 0);
      worst = Math.max(worst, assertWithin([sum], [0], [2 * spec.classes * UNIT_ROUNDOFF], 'sum'));
    }
  });
  t.diagnostic(`largest error/bound ${worst.toFixed(3)}`);
});

test('21: adding a constant to the logits changes no bit', () => {
  check(fc.tuple(cases, fc.integer({ min: -1000, max: 1000 })), 100, ([subject, constant]) => {
    const { spec, count, seed } = subject;
    // Multiples of 2^-8 below 2^11: the shifted logits, and so all differences, are exact.
    const logits = randomIntegers(seed, count * spec.classes, 4096).map((x) => x / 256);
    const targets = targetsOf(subject);
    const plain = run(spec, logits, targets);
    const shifted = run(
      spec,
      logits.map((x) => x + constant),
      targets,
    );
    assertSameBits(shifted.losses, plain.losses);
    assertSameBits(shifted.correct, plain.correct);
    if (spec.gradient) assertSameBits(shifted.gradLogits, plain.gradLogits);
  });
});

test('21: logits of +-1e4 stay finite, and cost what they should', () => {
  const spec: SoftmaxCrossEntropySpec = {
    kind: 'softmaxCrossEntropy',
    classes: 3,
    logitsStride: 3,
    targets: 'index',
    labelSmoothing: 0,
    gradient: true,
  };
  const results = run(spec, [1e4, -1e4, 0, 1e4, -1e4, 0, -1e4, -1e4, -1e4], [0, 1, 2]);
  assertSameBits(results.losses.subarray(0, 2), [0, 2e4]);
  assert.ok(Math.abs(results.losses[2]! - Math.log(3)) <= 4 * F64_ROUNDOFF);
  const third = Math.fround(1 / 3);
  assertSameBits(results.gradLogits, [0, 0, 0, 1, -1, 0, third, third, Math.fround(-2 / 3)]);
  assertSameBits(results.correct, [1, 0, 0]);
});

test('a dense target that is 1 at one class is that index', () => {
  check(cases, 100, (subject) => {
    const { classes } = subject.spec;
    const index = { ...subject.spec, targets: 'index' as const };
    const logits = logitsOf(subject);
    const targets = targetsOf({ ...subject, spec: index });
    const oneHot = Float32Array.from({ length: logits.length }, (_, i) =>
      targets[Math.floor(i / classes)] === i % classes ? 1 : 0,
    );
    const byIndex = run(index, logits, targets);
    const byRow = run({ ...index, targets: 'dense' }, logits, oneHot);
    assertSameBits(byRow.losses, byIndex.losses);
    assertSameBits(byRow.correct, byIndex.correct);
    if (index.gradient) assertSameBits(byRow.gradLogits, byIndex.gradLogits);
  });
});

test('the first of several largest logits counts as the prediction', () => {
  const spec: SoftmaxCrossEntropySpec = {
    kind: 'softmaxCrossEntropy',
    classes: 4,
    logitsStride: 5,
    targets: 'index',
    labelSmoothing: 0,
    gradient: false,
  };
  const logits = [0, 2, 2, 1, 0, 2, 2, 1, -0, 0, -0, 0];
  assertSameBits(run(spec, logits, [1, 2, 0]).correct, [1, 0, 1]);
  const dense = { ...spec, targets: 'dense' as const };
  assertSameBits(run(dense, logits, [0, 0.4, 0.4, 0.2, 0, 0.2, 0.8, 0, 0.5, 0, 0, 0.5]).correct, [1, 0, 1]);
});

test('NaN logits, all logits at -Infinity and an index outside the classes give a NaN loss', () => {
  const specs = [0, 0.1].map(
    (labelSmoothing): SoftmaxCrossEntropySpec => ({
      kind: 'softmaxCrossEntropy',
      classes: 2,
      logitsStride: 2,
      targets: 'index',
      labelSmoothing,
      gradient: true,
    }),
  );
  for (const spec of specs) {
    const none = Number.NEGATIVE_INFINITY;
    const logits = [Number.NaN, 1, 1, Number.NaN, none, none, 1, 2, 1, 2, 1, 2];
    const { losses, correct } = run(spec, logits, [0, 0, 0, -1, 2, 2 ** 31 - 1]);
    assertSameBits(losses, new Float64Array(6).fill(Number.NaN));
    assertSameBits(correct.subarray(3), [0, 0, 0]);
  }
});

test('softmax cross-entropy refuses numbers that make no sense', () => {
  const spec: SoftmaxCrossEntropySpec = {
    kind: 'softmaxCrossEntropy',
    classes: 4,
    logitsStride: 4,
    targets: 'index',
    labelSmoothing: 0,
    gradient: false,
  };
  const heap = heapOf(new ArrayBuffer(8));
  for (const wrong of [
    { classes: 0 },
    { logitsStride: 3 },
    { labelSmoothing: 1.5 },
    { labelSmoothing: Number.NaN },
  ]) {
    assert.throws(() => softmaxCrossEntropyFamily.bind({ ...spec, ...wrong }, heap), ConfigError);
    assert.throws(() => softmaxCrossEntropyTwin.emit({ ...spec, ...wrong }, BASELINE_TARGET), ConfigError);
  }
});

test('the twin of softmax cross-entropy equals the scalar kernel', () => {
  check(cases, 120, ({ spec, count, seed, scale }) => {
    assertTwin(softmaxCrossEntropyFamily, softmaxCrossEntropyTwin, spec, {
      count,
      seed,
      specials: seed % 2 === 0,
      fill(name, heap, at, length, random) {
        if (name === 'logits') for (let i = at; i < at + length; i++) heap.f32[i]! *= scale;
        if (name !== 'targets' || spec.targets !== 'index') return;
        // Now and then an index just outside.
        for (let i = at; i < at + length; i++) heap.i32[i] = Math.floor(random() * (spec.classes + 2)) - 1;
      },
    });
  });
});
