import assert from 'node:assert/strict';
import test from 'node:test';
import { dense } from '../../src/layers/index.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { planProgram } from '../../src/model/plan.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import { PLAIN_INPUT } from '../helpers/conformance-model.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';

test('senseless options are refused when the layer is made', () => {
  for (const units of [0, -3, 1.5, '8', undefined]) assertRefusedOptions(dense, { units }, 'units');
  assertRefusedOptions(dense, { units: 2, activation: 'Relu' }, 'activation');
  assertRefusedOptions(
    dense,
    { units: 2, kernelInitializer: { name: 'varianceScaling', mode: 'fan' } },
    'kernelInitializer',
  );
  assertRefusedOptions(dense, { units: 2, biasInitializer: 1 }, 'biasInitializer');
});

test('images are refused with the hint to flatten them', () => {
  assert.throws(() => sequentialGraph([2, 2, 3], [dense({ units: 2, name: 'top' })]), {
    name: 'ShapeError',
    message: 'dense "top": input shape: expected a vector [F], got [2, 2, 3] (put flatten() before it)',
  });
});

test('weights are [in, out] and have the fans of Keras', () => {
  const [weight, bias] = graphParameters(sequentialGraph([5], [dense({ units: 3 })]));
  assert.deepEqual(weight!.spec.shape, [5, 3]);
  assert.deepEqual([weight!.spec.fanIn, weight!.spec.fanOut], [5, 3]);
  assert.deepEqual(bias!.spec.shape, [3]);
  assert.equal(bias!.spec.initializer, 'zeros');
});

test('the gradient of large weights is cut into units that together cover each row once', () => {
  const graph = sequentialGraph([1000], [dense({ units: 100 })]);
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize: 8,
    shardSize: 2,
    input: PLAIN_INPUT,
    seed: 0,
    loss: lossPlan('categoricalCrossentropy', 'index'),
  });
  const units = plan.phases.flatMap((phase) => phase.units);
  const ranges = units
    .flatMap(({ calls }) => calls)
    .filter(({ spec }) => spec.kind === 'denseWeightGradient')
    .map(({ operands }) => [operands[3], operands[4]] as [number, number]);
  assert.ok(ranges.length >= 3, `${ranges.length} units`);
  let next = 0;
  for (const [row, count] of ranges) {
    assert.equal(row, next);
    next += count;
  }
  assert.equal(next, 1000);
});
