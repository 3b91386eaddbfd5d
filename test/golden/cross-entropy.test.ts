/**
 * Softmax cross-entropy on PyTorch's logits: losses to f64 accuracy, gradients to one rounding to f32.
 *
 * The kernel computes in f64 with its own exp and log (below 1 ULP each) and at most 10 classes, so that its
 * relative errors stay below 32 * 2^-53, those of the truth included.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type SoftmaxCrossEntropySpec,
  softmaxCrossEntropyFamily,
} from '../../src/kernels/softmax-cross-entropy.ts';
import { loadFixture } from '../helpers/fixture.ts';
import type { Values } from '../helpers/oracle.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin } from '../helpers/tolerance.ts';
import { multiply, nearest } from './rounding.ts';

const RELATIVE = 32 * 2 ** -53;
const { json, tensor } = loadFixture('layers');

for (const { name } of json.cases.filter(({ layer }) => layer === 'crossEntropy')) {
  const [count, classes] = tensor(`${name}/input`).shape as [number, number];
  const logits = tensor(`${name}/input`).data;
  const labels = tensor(`${name}/labels`).data;
  const rows = Array.from({ length: count }, (_, n) => labels.subarray(n * classes, (n + 1) * classes));

  test(`${name}: losses and gradients`, () => checkLoss('dense', labels));

  if (rows.every((row) => row.includes(1))) {
    test(`${name}: the same by index`, () =>
      checkLoss(
        'index',
        rows.map((row) => row.indexOf(1)),
      ));
  }

  function checkLoss(targets: SoftmaxCrossEntropySpec['targets'], values: Values): void {
    const spec = {
      kind: 'softmaxCrossEntropy',
      classes,
      logitsStride: classes,
      targets,
      labelSmoothing: 0,
      gradient: true,
    } as const;
    const sampleScale = new Float32Array(count).fill(1 / count);
    const results = runKernel(
      softmaxCrossEntropyFamily,
      spec,
      { logits, targets: values, sampleScale },
      { count },
    );

    const losses = tensor(`${name}/output`).data;
    // A loss is a difference of numbers as large as the spread of its row's logits.
    const spread = Math.max(...logits) - Math.min(...logits);
    assertWithin(
      results.losses!,
      losses,
      Array.from(losses, () => RELATIVE * (1 + spread)),
      'loss',
    );

    const truth = tensor(`${name}/gradInput`).data;
    // Probability minus target is at most 1 in magnitude; then comes the scale, 1/count rounded to f32.
    const bounds = Array.from(
      truth,
      (g) => multiply({ value: g * count, error: RELATIVE }, nearest(1 / count)).error,
    );
    assertWithin(results.gradLogits!, truth, bounds, 'gradLogits');

    const largest = (row: Values) => Array.from(row).indexOf(Math.max(...Array.from(row)));
    const correct = rows.map((row, n) =>
      largest(row) === largest(logits.subarray(n * classes, (n + 1) * classes)) ? 1 : 0,
    );
    assert.deepEqual(Array.from(results.correct!), correct);
  }
}
