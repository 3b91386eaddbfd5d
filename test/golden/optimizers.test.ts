/**
 * The optimizers' kernels on given gradients, 20 steps, against the f64 truth in Keras' forms. Each bound is
 * the running error of the same operations; its middle must be the stored truth.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdamSpec, adamStepSize } from '../../src/kernels/adam.ts';
import { families } from '../../src/kernels/index.ts';
import { heapOf, type KernelSpec } from '../../src/kernels/kernel.ts';
import type { SgdSpec } from '../../src/kernels/sgd.ts';
import { loadFixture, type OptimizerCase } from '../helpers/fixture.ts';
import { type OptimizerRule, optimizerRules } from './optimizer-rules.ts';
import { exact, type Rounded } from './rounding.ts';

const SIZE = 16;
const STEPS = 20;
const { json, tensor } = loadFixture('optimizers');
const weight = tensor('weight').data;
const gradients = tensor('gradients').data;

/** Specs, what the kernel's slots are called, and what they begin with. */
const KERNELS: Record<OptimizerCase['rule'], (options: OptimizerCase) => Kernel> = {
  sgd: ({ momentum = 0, nesterov = false }) => ({
    spec: { kind: 'sgd', momentum, nesterov, weightDecay: 0 } as SgdSpec,
    slots: momentum === 0 ? [] : ['velocity'],
  }),
  adam: ({ beta1, beta2, epsilon, weightDecay = 0 }) => ({
    spec: { kind: 'adam', beta1, beta2, epsilon, weightDecay } as AdamSpec,
    slots: ['firstMoment', 'secondMoment'],
  }),
  rmsprop: ({ rho, momentum, epsilon, centered }) => ({
    spec: { kind: 'rmsprop', rho, momentum, epsilon, centered, weightDecay: 0 } as KernelSpec,
    slots: ['square', ...(centered ? ['mean'] : []), ...(momentum ? ['momentum'] : [])],
  }),
  adagrad: ({ epsilon }) => ({
    spec: { kind: 'adagrad', epsilon, weightDecay: 0 } as KernelSpec,
    slots: ['accumulator'],
    start: 0.1,
  }),
  lion: ({ beta1, beta2, weightDecay = 0 }) => ({
    spec: { kind: 'lion', beta1, beta2, weightDecay } as KernelSpec,
    slots: ['momentum'],
  }),
};

interface Kernel {
  readonly spec: KernelSpec;
  readonly slots: readonly string[];
  readonly start?: number;
}

for (const [name, options] of Object.entries(json.cases)) {
  test(`${name}: weights and state stay within the rounding errors of 20 steps`, () => {
    const kernel = KERNELS[options.rule](options);
    const run = bindSteps(kernel, options);
    const rule: OptimizerRule = optimizerRules[options.rule];
    const first = exact(Math.fround(kernel.start ?? 0));
    const states: Record<string, Rounded>[] = Array.from({ length: SIZE }, (_, i) => ({
      weight: exact(weight[i]!),
      ...Object.fromEntries(kernel.slots.map((slot) => [slot, first])),
    }));
    for (let step = 1; step <= STEPS; step++) {
      const computed = run(step);
      for (let i = 0; i < SIZE; i++) {
        const g = exact(gradients[(step - 1) * SIZE + i]!);
        states[i] = rule(states[i]!, g, options, step);
        for (const [key, values] of Object.entries(computed)) {
          const truth = tensor(`${name}/${key}`).data[(step - 1) * SIZE + i]!;
          const { value, error } = states[i]![key]!;
          const label = `${key}[${i}] at step ${step}`;
          assert.ok(
            Math.abs(value - truth) <= 1e-13 * Math.abs(truth) + 1e-15 * error,
            `${label}: the bound's middle ${value}, ${truth}`,
          );
          const distance = Math.abs(values[i]! - truth);
          assert.ok(distance <= error, `${label}: expected ${truth} within ${error}, got ${values[i]}`);
        }
      }
    }
  });
}

/**
 * Binds a kernel to buffers [weight, gradient, slots..., hyper] of SIZE floats each. The returned function
 * makes one step and shows weight and state by name.
 */
function bindSteps({ spec, slots, start = 0 }: Kernel, options: OptimizerCase) {
  const names = ['weight', ...slots];
  const count = names.length + 2;
  const heap = heapOf(new ArrayBuffer(4 * SIZE * count));
  const offsets = Array.from({ length: count }, (_, i) => 4 * SIZE * i);
  const buffer = (i: number) => heap.f32.subarray(SIZE * i, SIZE * (i + 1));
  const kernel = families[spec.kind]!.bind(spec, heap);
  buffer(0).set(weight);
  slots.forEach((_, i) => {
    buffer(i + 2).fill(start);
  });
  const { learningRate, beta1 = 0, beta2 = 0 } = options;
  return (step: number): Record<string, Float32Array> => {
    buffer(1).set(gradients.subarray((step - 1) * SIZE, step * SIZE));
    const size = options.rule === 'adam' ? adamStepSize(learningRate, beta1, beta2, step) : learningRate;
    buffer(count - 1).set([size, learningRate]);
    kernel(...offsets, SIZE);
    return Object.fromEntries(names.map((name, i) => [name, buffer(i === 0 ? 0 : i + 1)]));
  };
}
