/**
 * The optimizers' kernels on given gradients, 20 steps, against the f64 truth in Keras' forms. Each bound is
 * the running error of the same operations; its middle must be the stored truth.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdamSpec, adamFamily, adamStepSize } from '../../src/kernels/adam.ts';
import { type Heap, heapOf, type KernelFunction } from '../../src/kernels/kernel.ts';
import { type SgdSpec, sgdFamily } from '../../src/kernels/sgd.ts';
import { loadFixture, type OptimizerCase } from '../helpers/fixture.ts';
import { add, divide, exact, multiply, nearest, type Rounded, squareRoot, subtract } from './rounding.ts';

const SIZE = 16;
const STEPS = 20;
const { json, tensor } = loadFixture('optimizers');
const weight = tensor('weight').data;
const gradients = tensor('gradients').data;

/** What a step changes, by the fixture's names: `weight` and the optimizer's own state. */
type State = Record<string, Rounded>;

for (const [name, options] of Object.entries(json.cases)) {
  test(`${name}: weights and state stay within the rounding errors of 20 steps`, () => {
    const run = options.rule === 'sgd' ? bindSgd(options) : bindAdam(options);
    const states: State[] = Array.from({ length: SIZE }, (_, i) => ({ weight: exact(weight[i]!) }));
    for (let step = 1; step <= STEPS; step++) {
      const computed = run(step);
      for (let i = 0; i < SIZE; i++) {
        const g = exact(gradients[(step - 1) * SIZE + i]!);
        states[i] =
          options.rule === 'sgd' ? sgdStep(states[i]!, g, options) : adamStep(states[i]!, g, options, step);
        for (const [key, values] of Object.entries(computed)) {
          const truth = tensor(`${name}/${key}`).data[(step - 1) * SIZE + i]!;
          const { value, error } = states[i]![key]!;
          const label = `${key}[${i}] at step ${step}`;
          assert.ok(
            Math.abs(value - truth) <= 1e-13 * Math.abs(truth) + 1e-15 * error,
            `${label}: the bound's middle`,
          );
          const distance = Math.abs(values[i]! - truth);
          assert.ok(distance <= error, `${label}: expected ${truth} within ${error}, got ${values[i]}`);
        }
      }
    }
  });
}

/**
 * Binds a kernel to buffers [weight, gradient, state..., hyper] of SIZE floats each. The returned function
 * makes one step and shows weight and state by name.
 */
function bindStep(
  bind: (heap: Heap) => KernelFunction,
  names: readonly string[],
  rate: (step: number) => number,
): (step: number) => Record<string, Float32Array> {
  const count = names.length + 2;
  const heap = heapOf(new ArrayBuffer(4 * SIZE * count));
  const offsets = Array.from({ length: count }, (_, i) => 4 * SIZE * i);
  const buffer = (i: number) => heap.f32.subarray(SIZE * i, SIZE * (i + 1));
  const kernel = bind(heap);
  buffer(0).set(weight);
  return (step) => {
    buffer(1).set(gradients.subarray((step - 1) * SIZE, step * SIZE));
    buffer(count - 1)[0] = rate(step);
    kernel(...offsets, SIZE);
    return Object.fromEntries(names.map((name, i) => [name, buffer(i === 0 ? 0 : i + 1)]));
  };
}

function bindSgd({ learningRate, momentum = 0, nesterov = false }: OptimizerCase & { rule: 'sgd' }) {
  const spec: SgdSpec = { kind: 'sgd', momentum, nesterov, weightDecay: 0 };
  const names = momentum === 0 ? ['weight'] : ['weight', 'velocity'];
  return bindStep(
    (heap) => sgdFamily.bind(spec, heap),
    names,
    () => learningRate,
  );
}

function bindAdam({ learningRate, beta1, beta2, epsilon }: OptimizerCase & { rule: 'adam' }) {
  const spec: AdamSpec = { kind: 'adam', beta1, beta2, epsilon };
  const names = ['weight', 'firstMoment', 'secondMoment'];
  const size = (step: number) => adamStepSize(learningRate, beta1, beta2, step);
  return bindStep((heap) => adamFamily.bind(spec, heap), names, size);
}

function sgdStep(state: State, g: Rounded, options: OptimizerCase & { rule: 'sgd' }): State {
  const step = multiply(nearest(options.learningRate), g);
  if (options.momentum === undefined) return { weight: subtract(state.weight!, step) };
  const momentum = nearest(options.momentum);
  const velocity = subtract(multiply(momentum, state.velocity ?? exact(0)), step);
  const move = options.nesterov ? subtract(multiply(momentum, velocity), step) : velocity;
  return { weight: add(state.weight!, move), velocity };
}

function adamStep(state: State, g: Rounded, options: OptimizerCase & { rule: 'adam' }, step: number): State {
  const { learningRate, beta1, beta2, epsilon } = options;
  const towards = (old: Rounded, target: Rounded, beta: number) =>
    add(old, multiply(subtract(target, old), nearest(1 - beta)));
  const firstMoment = towards(state.firstMoment ?? exact(0), g, beta1);
  const secondMoment = towards(state.secondMoment ?? exact(0), multiply(g, g), beta2);
  const size = nearest((learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step));
  const below = add(squareRoot(secondMoment), nearest(epsilon));
  return {
    weight: subtract(state.weight!, divide(multiply(size, firstMoment), below)),
    firstMoment,
    secondMoment,
  };
}
