/** The comparison of 256-bit with 128-bit code: that it sees differences, and that its trials try something. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { families } from '../../src/kernels/index.ts';
import { heapOf, isBuffer, type KernelFunction, type KernelSpec } from '../../src/kernels/kernel.ts';
import { bindScalar } from '../../src/parallel/bind.ts';
import { affordableTrials, agree, memoryFor, type Trial, trialOf } from '../../src/parallel/self-check.ts';
import { denseView } from '../../src/tensor/view.ts';
import { sequential } from '../../src/training/models.ts';
import { cifarNotebook } from '../../src/zoo/cifar-notebook.ts';
import { trainingSpecs } from '../helpers/model-specs.ts';
import { smallModel } from '../helpers/small-model.ts';
import { randomFrom } from '../helpers/twin.ts';

/** A kernel that does its work, and then something else. */
function followedBy(kernel: KernelFunction, afterwards: () => void): KernelFunction {
  return (...args) => {
    kernel(...args);
    afterwards();
  };
}

describe('a kernel with a fault is told from one without', () => {
  const random = randomFrom(3);
  for (const [i, spec] of trainingSpecs(smallModel()).entries()) {
    test(`kernel ${i}, ${spec.kind}`, () => {
      const trial = trialOf(spec);
      const memory = memoryFor([trial]);
      const heap = heapOf(memory.buffer);
      const kernel = bindScalar(spec, memory);
      assert.ok(agree(trial, memory, kernel, kernel));
      for (const { type, start, end } of trial.outputs) {
        const values = heap[type];
        const [from, to] = [start / values.BYTES_PER_ELEMENT, end / values.BYTES_PER_ELEMENT];
        const one = from + Math.floor(random() * (to - from));
        const wrong = followedBy(kernel, () => {
          // The next number from there on, once around; NaN would stay NaN.
          let at = one;
          while (Number.isNaN(values[at])) at = at + 1 < to ? at + 1 : from;
          heap.u8[at * values.BYTES_PER_ELEMENT]! ^= 1;
        });
        assert.ok(!agree(trial, memory, kernel, wrong), 'a wrong bit');
        const stray = followedBy(kernel, () => {
          heap.u8[end + 20]! ^= 1;
        });
        assert.ok(!agree(trial, memory, kernel, stray), 'a store beyond the output');
      }
      const traps = followedBy(kernel, () => {
        throw new WebAssembly.RuntimeError('unreachable');
      });
      assert.ok(!agree(trial, memory, kernel, traps), 'a trap');
      assert.ok(!agree(trial, memory, traps, kernel), 'no trap where there should be one');
    });
  }
});

test('NaN equals NaN whatever its bits', () => {
  const spec: KernelSpec = { kind: 'fill', value: Number.NaN } as KernelSpec;
  const trial = trialOf(spec);
  const memory = memoryFor([trial]);
  const kernel = bindScalar(spec, memory);
  const other = followedBy(kernel, () => {
    heapOf(memory.buffer).i32[trial.args[0]! / 4] = 0x7fc0_1234;
  });
  assert.ok(agree(trial, memory, kernel, other));
});

describe('the trials of the notebook', () => {
  const specs = trainingSpecs(sequential({ inputShape: [32, 32, 3], seed: 1 }, cifarNotebook()));

  test('are all of its kernels', () => {
    assert.equal(affordableTrials(specs).length, specs.length);
  });

  test('give every argument a place or a value, and no two buffers the same place', () => {
    for (const spec of specs) {
      const trial = trialOf(spec);
      const args = families[spec.kind]!.args(spec);
      assert.equal(trial.args.length, args.length);
      const origins = trial.args.filter((_, i) => isBuffer(args[i]!));
      assert.equal(new Set(origins).size, origins.length);
      assert.ok(origins.every((origin) => origin > 0 && origin < trial.bytes));
      assert.ok(trial.args.every(Number.isInteger), spec.kind);
    }
  });

  test('leave no number of a range at nothing', () => {
    for (const kind of ['adam', 'reduceShards', 'denseWeightGradient']) {
      const spec = specs.find((each) => each.kind === kind)!;
      const args = families[kind]!.args(spec);
      const lengths = trialOf(spec).args.filter((_, i) =>
        ['length', 'rowCount', 'count'].includes(args[i]!.name),
      );
      assert.ok(lengths.length > 0 && lengths.every((length) => length >= 5), `${kind} ${lengths}`);
    }
  });
});

test('of a large network, only what takes a fraction of a second is tried, the cheap kernels first', () => {
  const relu = (channels: number) => {
    const view = denseView(56, 56, channels);
    return { kind: 'activationForward', function: 'relu', alpha: 0, input: view, output: view } as KernelSpec;
  };
  const many = Array.from({ length: 2000 }, (_, i) => relu(64 + (i % 7)));
  const trials: readonly Trial[] = affordableTrials(many);
  assert.ok(trials.length > 100 && trials.length < 2000, String(trials.length));
  assert.ok(trials.reduce((sum, { flops }) => sum + flops, 0) <= 5e8);
  assert.ok(trials.every(({ args }) => args.length > 0));
  assert.deepEqual(affordableTrials([relu(100_000)]), []);
});
