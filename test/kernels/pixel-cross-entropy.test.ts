import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CLIP } from '../../src/kernels/element-loss.ts';
import {
  type PixelCrossEntropySpec,
  pixelCrossEntropyFamily,
} from '../../src/kernels/pixel-cross-entropy.ts';
import { pixelCrossEntropyTwin } from '../../src/kernels/simd/pixel-cross-entropy.ts';
import { softmaxCrossEntropyFamily } from '../../src/kernels/softmax-cross-entropy.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check, randomNormals, uniforms } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { UNIT_ROUNDOFF } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';
import { lossCases, scalesOf, sizeOf, targetAt, targetsOf } from './loss-cases.ts';

const F64 = 2 ** -53;

const cases = fc
  .tuple(
    lossCases,
    fc.constantFrom('logits' as const, 'probabilities' as const),
    fc.constantFrom(0, 0.1, 1),
    fc.boolean(),
  )
  .filter(([{ views }]) => views.input.channels > 1)
  .map(([subject, from, labelSmoothing, weighted]) => {
    const spec: PixelCrossEntropySpec = {
      kind: 'pixelCrossEntropy',
      from,
      labelSmoothing,
      weighted,
      ...subject.views,
    };
    return { subject, spec };
  });

/** Of one pixel, by the definition: its loss, the gradient, and how large the terms are. */
function reference(spec: PixelCrossEntropySpec, x: number[], t: number[]) {
  if (spec.from === 'logits') {
    const max = Math.max(...x);
    const sum = x.reduce((total, z) => total + Math.exp(z - max), 0);
    const logs = x.map((z) => z - max - Math.log(sum));
    const loss = logs.reduce((total, log, c) => total - t[c]! * log, 0);
    return { loss, gradient: logs.map((log, c) => Math.exp(log) - t[c]!), size: x.map(() => 1) };
  }
  const sum = x.reduce((a, b) => a + b, 0);
  const shares = x.map((p) => p / sum);
  const isHeld = (share: number) => share < CLIP || share > 1 - CLIP;
  const loss = shares.reduce(
    (total, q, c) => total - t[c]! * Math.log(Math.min(1 - CLIP, Math.max(CLIP, q))),
    0,
  );
  const moving = shares.reduce((total, q, c) => total + (isHeld(q) ? 0 : t[c]!), 0);
  const pulls = x.map((p, c) => (isHeld(shares[c]!) ? 0 : t[c]! / p));
  return {
    loss,
    gradient: pulls.map((pull) => moving / sum - pull),
    size: pulls.map((pull) => moving / sum + pull),
  };
}

test('losses, gradients and hits are those of the definition in f64', () => {
  check(cases, 200, ({ subject, spec }) => {
    const { all, channels, pixels } = sizeOf(subject);
    const { count, seed } = subject;
    const random = uniforms(seed);
    const input =
      spec.from === 'logits'
        ? randomNormals(seed, all * channels).map((x) => 4 * x)
        : Float32Array.from({ length: all * channels }, () => 0.01 + random());
    const targets = targetsOf(subject, channels);
    const sampleScale = scalesOf(subject);
    const classWeights = Float32Array.from({ length: channels }, (_, c) => 0.5 + c);
    const arrays = { input, targets, sampleScale, classWeights };
    const results = runKernel(pixelCrossEntropyFamily, spec, arrays, { count });
    for (let n = 0; n < count; n++) {
      let [loss, hits] = [0, 0];
      for (let p = n * pixels; p < (n + 1) * pixels; p++) {
        const x = [...input.subarray(p * channels, (p + 1) * channels)];
        const raw = x.map((_, c) => targetAt(subject, targets, p, c));
        const { labelSmoothing: s } = spec;
        const exact = reference(
          spec,
          x,
          raw.map((t) => (1 - s) * t + s / channels),
        );
        loss += exact.loss;
        const k = raw.indexOf(Math.max(...raw));
        if (x.indexOf(Math.max(...x)) === k) hits += 1;
        if (spec.gradInput === undefined) continue;
        const factor = (sampleScale[n]! / pixels) * (spec.weighted ? classWeights[k]! : 1);
        for (let c = 0; c < channels; c++) {
          const g = exact.gradient[c]! * factor;
          const error = Math.abs(results.gradInput![p * channels + c]! - g);
          const roundoff = (2 * channels + 20) * F64 * exact.size[c]! * factor;
          assert.ok(error <= UNIT_ROUNDOFF * Math.abs(g) + roundoff + 2 ** -149, `gradient off by ${error}`);
        }
      }
      const bound = (2 * channels + pixels + 20) * F64 * (loss / pixels + 1);
      assert.ok(Math.abs(results.losses![n]! - loss / pixels) <= bound);
      assert.equal(results.correct![n], hits);
    }
  });
});

test('on vectors it is the softmax cross-entropy, bit for bit', () => {
  const classes = 7;
  const count = 9;
  const view = denseView(1, 1, classes);
  for (const labelSmoothing of [0, 0.1]) {
    const input = randomNormals(3, count * classes).map((x) => 3 * x);
    const targets = Int32Array.from({ length: count }, (_, i) => (i * 5) % classes);
    const sampleScale = Float32Array.from({ length: count }, (_, i) => 1 / (i + 3));
    const map = runKernel(
      pixelCrossEntropyFamily,
      {
        kind: 'pixelCrossEntropy',
        from: 'logits',
        labelSmoothing,
        weighted: false,
        targets: 'index',
        input: view,
        gradInput: view,
      },
      { input, targets, sampleScale },
      { count },
    );
    const vector = runKernel(
      softmaxCrossEntropyFamily,
      {
        kind: 'softmaxCrossEntropy',
        classes,
        logitsStride: classes,
        targets: 'index',
        labelSmoothing,
        gradient: true,
      },
      { logits: input, targets, sampleScale },
      { count },
    );
    assertSameBits(map.gradInput!, vector.gradLogits!);
    assertSameBits(map.correct!, vector.correct!);
    vector.losses!.forEach((loss, i) => {
      assert.ok(Math.abs(map.losses![i]! - loss) <= 4 * F64 * (1 + loss));
    });
  }
});

test('a pixel’s gradients sum to 0 within 2 C u of its scale', () => {
  check(cases, 60, ({ subject, spec: { weighted: _, ...rest } }) => {
    const spec = {
      ...rest,
      from: 'logits' as const,
      weighted: false,
      targets: 'index' as const,
      gradInput: rest.input,
    };
    const { all, channels, pixels } = sizeOf(subject);
    const input = randomNormals(subject.seed, all * channels).map((x) => 1e4 * x);
    const targets = targetsOf({ ...subject, views: { ...subject.views, targets: 'index' } }, channels);
    const sampleScale = new Float32Array(subject.count).fill(pixels);
    const arrays = { input, targets, sampleScale };
    const { gradInput } = runKernel(pixelCrossEntropyFamily, spec, arrays, { count: subject.count });
    for (let p = 0; p < all; p++) {
      const row = (gradInput as Float32Array).subarray(p * channels, (p + 1) * channels);
      const sum = row.reduce((total, g) => total + g, 0);
      assert.ok(Math.abs(sum) <= 2 * channels * UNIT_ROUNDOFF, `sum ${sum}`);
    }
  });
});

test('an index outside the classes gives a NaN loss', () => {
  const view = denseView(1, 2, 2);
  const spec = {
    kind: 'pixelCrossEntropy',
    from: 'logits',
    labelSmoothing: 0,
    weighted: false,
    targets: 'index',
  } as const;
  const arrays = { input: [1, 2, 3, 4], targets: [1, 2], sampleScale: [1] };
  const { losses, correct } = runKernel(pixelCrossEntropyFamily, { ...spec, input: view }, arrays);
  assert.ok(Number.isNaN(losses![0]));
  assert.equal(correct![0], 1);
});

test('the twin of pixelCrossEntropy equals the scalar kernel', () => {
  check(cases, 150, ({ subject: { count, seed, views }, spec }) => {
    assertTwin(pixelCrossEntropyFamily, pixelCrossEntropyTwin, spec, {
      count,
      seed,
      specials: seed % 2 === 0,
      fill(name, heap, at, length, random) {
        if (name !== 'targets' || views.targets !== 'index') return;
        for (let i = at; i < at + length; i++) {
          heap.i32[i] = Math.floor(random() * (views.input.channels + 2)) - 1;
        }
      },
    });
  });
});
