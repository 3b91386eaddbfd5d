/**
 * Losses of maps on PyTorch's inputs: losses to f64 accuracy, gradients to one rounding to f32. The kernels work in f64
 * with exp and log below 1 ULP, so that an element's relative error stays below 40 * 2^-53 of its terms' size, the
 * truth's own error included.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { families } from '../../src/kernels/index.ts';
import type { KernelSpec } from '../../src/kernels/kernel.ts';
import type { PlannedBuffer, TensorRef } from '../../src/layers/layer.ts';
import { plainBuffer, refTo } from '../../src/model/buffers.ts';
import { denseView } from '../../src/tensor/view.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import type { Loss } from '../../src/training/losses.ts';
import { type LossCase, loadFixture } from '../helpers/fixture.ts';
import { runKernel } from '../helpers/run-kernel.ts';

const { json, tensor } = loadFixture('losses');
const [COUNT, HEIGHT, WIDTH, CHANNELS] = [2, 3, 4, 5];

/** The kernel that the library's loss plans for a map. */
function kernelOf({ loss: name, index, classWeight, ...options }: LossCase) {
  const view = denseView(HEIGHT, WIDTH, CHANNELS);
  const buffer = (of: string): PlannedBuffer => plainBuffer(of, 'batch', { sampleBytes: 4 });
  const map = (of: string): TensorRef => ({
    shape: [HEIGHT, WIDTH, CHANNELS],
    view,
    origin: refTo(buffer(of)),
  });
  const calls: KernelSpec[] = [];
  lossPlan({ name, ...options } as Loss, index ? 'index' : 'dense').emit({
    output: map('output'),
    undone: false,
    targets: refTo(buffer('targets')),
    ...(classWeight && { classWeights: refTo(buffer('classWeights')) }),
    sampleScale: refTo(buffer('sampleScale')),
    gradient: map('gradient'),
    losses: refTo(buffer('losses')),
    correct: refTo(buffer('correct')),
    errors: refTo(buffer('errors')),
    call: (spec) => void calls.push(spec),
  });
  assert.equal(calls.length, 1);
  return calls[0]!;
}

for (const [name, loss] of Object.entries(json.cases)) {
  test(`${name}: losses and gradients are PyTorch’s`, () => {
    const spec = kernelOf(loss);
    const input = tensor(`${name}/input`).data;
    const arrays = {
      input,
      targets: tensor(`${name}/targets`).data,
      classWeights: loss.classWeight ?? [],
      sampleScale: new Float32Array(COUNT).fill(1 / COUNT),
    };
    const results = runKernel(families[spec.kind]!, spec, arrays, { count: COUNT });
    tensor(`${name}/loss`).data.forEach((expected, n) => {
      const error = Math.abs(results.losses![n]! - expected);
      assert.ok(error <= (HEIGHT * WIDTH * CHANNELS + 40) * 2 ** -53 * (1 + expected), `loss ${n}: ${error}`);
    });
    tensor(`${name}/gradient`).data.forEach((expected, i) => {
      const error = Math.abs(results.gradInput![i]! - expected);
      const bound = 2 ** -24 * Math.abs(expected) + 40 * 2 ** -53 * (1 + Math.abs(expected));
      assert.ok(
        error <= bound,
        `gradient ${i}: expected ${expected} within ${bound}, got ${results.gradInput![i]}`,
      );
    });
  });
}
