import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { KernelSpec } from '../../src/kernels/kernel.ts';
import { activation, conv2d, dense, flatten } from '../../src/layers/index.ts';
import type { BufferRef } from '../../src/layers/layer.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { type Plan, planProgram, shardSizeFor } from '../../src/model/plan.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import { adam, sgd } from '../../src/training/optimizers.ts';
import { randomNormals, SEED, uniforms } from '../helpers/arbitraries.ts';
import { PLAIN_INPUT } from '../helpers/conformance-model.ts';
import { type Network, networks, withClassifier } from '../helpers/conformance-networks.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan, type StepData } from '../helpers/run-plan.ts';

test('a batch has at most 16 shards, of 4 samples and more where four of them fit', () => {
  for (let batch = 1; batch <= 2100; batch++) {
    const size = shardSizeFor(batch);
    assert.ok(Number.isInteger(size) && size >= 1 && size <= batch, `batch ${batch}`);
    assert.ok(Math.ceil(batch / size) <= 16, `batch ${batch}`);
    assert.ok(batch < 16 || size >= 4, `batch ${batch}`);
  }
  assert.deepEqual([1, 2, 4, 8, 16, 32, 64, 65, 128].map(shardSizeFor), [1, 1, 1, 2, 4, 4, 4, 5, 8]);
});

const targets = { kind: 'index', length: 1 } as const;

function trainingPlan(
  { inputShape, layers }: Pick<Network, 'inputShape' | 'layers'>,
  batchSize: number,
): Plan {
  return planProgram(sequentialGraph(inputShape, layers), {
    mode: 'train',
    batchSize,
    shardSize: shardSizeFor(batchSize),
    input: PLAIN_INPUT,
    targets,
    loss: lossPlan('categoricalCrossentropy', 'index'),
    optimizer: adam().plan,
    seed: 3,
  });
}

test('a training step has the phases shards, batch, reduce, update, prepare; without dense layers no batch', () => {
  const image = { inputShape: [4, 4, 1], layers: [conv2d({ filters: 2, kernelSize: 4 }), flatten()] };
  const names = (plan: Plan) => plan.phases.map(({ name }) => name);
  assert.deepEqual(names(trainingPlan(image, 8)), ['shards', 'reduce', 'update', 'prepare']);
  const top = dense({ units: 2 });
  assert.deepEqual(names(trainingPlan({ ...image, layers: [...image.layers, top] }, 8)), [
    'shards',
    'batch',
    'reduce',
    'update',
    'prepare',
  ]);
});

test('the shards cover the batch, each sample once, all with the same calls', () => {
  for (const batchSize of [1, 5, 8, 37, 100]) {
    const plan = trainingPlan({ inputShape: [4], layers: [dense({ units: 2 })] }, batchSize);
    const { units } = plan.phases[0]!;
    assert.equal(units.length, plan.shards);
    assert.deepEqual(
      units.map(({ shard }) => shard),
      Array.from({ length: plan.shards }, (_, i) => i),
    );
    assert.ok((plan.shards - 1) * plan.options.shardSize < batchSize);
    assert.ok(plan.shards * plan.options.shardSize >= batchSize);
    assert.ok(units.every(({ calls }) => calls === units[0]!.calls));
  }
});

test('the update touches every element of every parameter once, in ranges', () => {
  const layers = [conv2d({ filters: 70, kernelSize: 3 }), flatten(), dense({ units: 9 })];
  const plan = trainingPlan({ inputShape: [3, 3, 20], layers }, 8);
  const graph = sequentialGraph([3, 3, 20], layers);
  const touched = new Map<string, Uint8Array>();
  for (const { name, elements } of graphParameters(graph)) {
    touched.set(`parameter/${name}`, new Uint8Array(elements));
  }
  for (const { calls } of plan.phases.find(({ name }) => name === 'update')!.units) {
    const { operands } = calls.find(({ spec }) => spec.kind === 'adam')!;
    const [{ buffer, offsetBytes }, length] = [operands[0] as BufferRef, operands.at(-1) as number];
    const elements = touched.get(buffer.name)!;
    assert.ok(length > 0 && offsetBytes / 4 + length <= elements.length);
    for (let i = 0; i < length; i++) elements[offsetBytes / 4 + i]! += 1;
  }
  for (const [name, elements] of touched)
    assert.ok(
      elements.every((times) => times === 1),
      name,
    );
});

/** Kernels of a plan by kind. */
function kinds(plan: Plan): string[] {
  const specs = plan.phases.flatMap(({ units }) =>
    units.flatMap(({ calls }) => calls.map(({ spec }) => spec)),
  );
  return [...new Set(specs.map(({ kind }: KernelSpec) => kind))];
}

test('a softmax at the end is left to the loss, in prediction it is computed', () => {
  const softmax = dense({ units: 3, activation: 'softmax' });
  const graph = sequentialGraph([4], [softmax]);
  const loss = lossPlan('categoricalCrossentropy', 'index');
  const options = { batchSize: 4, shardSize: 1, input: PLAIN_INPUT, targets, seed: 0 };
  for (const mode of ['train', 'evaluate'] as const) {
    const found = kinds(planProgram(graph, { ...options, mode, loss }));
    assert.ok(found.includes('softmaxCrossEntropy') && !found.includes('softmaxForward'), mode);
  }
  assert.ok(kinds(planProgram(graph, { ...options, mode: 'predict' })).includes('softmaxForward'));
  const inside = sequentialGraph([4], [softmax, activation({ function: 'linear' })]);
  const found = kinds(planProgram(inside, { ...options, mode: 'train', loss }));
  assert.ok(found.includes('softmaxForward') && found.includes('softmaxBackward'), 'only at the end');
});

test('evaluation and prediction have neither gradients nor updates', () => {
  const graph = sequentialGraph(
    [4, 4, 1],
    [conv2d({ filters: 2, kernelSize: 3 }), flatten(), dense({ units: 2 })],
  );
  const plan = planProgram(graph, {
    mode: 'predict',
    batchSize: 4,
    shardSize: 1,
    input: PLAIN_INPUT,
    seed: 0,
  });
  assert.deepEqual(
    plan.phases.map(({ name }) => name),
    ['shards'],
  );
  assert.equal(plan.gradients.size, 0);
  assert.equal(plan.shardStrideBytes, 0);
});

/** Three steps of training; all parameters, losses and hits. */
function train(network: Network, engine: 'scalar' | 'simd', schedule: number | undefined) {
  const graph = sequentialGraph(network.inputShape, withClassifier(network));
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize: 5,
    shardSize: 2,
    input: PLAIN_INPUT,
    targets,
    loss: lossPlan('categoricalCrossentropy', 'index'),
    optimizer: (network.seed % 2 === 0 ? adam() : sgd({ momentum: 0.9 })).plan,
    seed: 3,
  });
  const loaded = loadPlan(plan, engine);
  const parameters = graphParameters(graph);
  const next = uniforms(network.seed);
  for (let step = 0; step < 3; step++) {
    const count = step === 2 ? 3 : 5;
    const initial = parameters.map(({ name, elements }, i) => [
      name,
      randomNormals(network.seed + i, elements),
    ]);
    const data: StepData = {
      inputs: randomNormals(network.seed + step, count * elementCount(network.inputShape)),
      targets: Int32Array.from({ length: count }, () => Math.floor(3 * next())),
      sampleScale: new Float32Array(count).fill(1 / count),
      ...(step === 0 && { parameters: Object.fromEntries(initial) }),
      step,
      hyper: [0.01, 0, 0, 0],
    };
    loaded.run(data, { count, schedule: schedule === undefined ? undefined : schedule + step });
  }
  return parameters.map(({ name, elements }) => ({ name, values: loaded.parameter(name, elements) }));
}

test('three steps of training leave the same bits under any order of units, scalar or SIMD', () => {
  const property = fc.property(networks, (network) => {
    const expected = train(network, 'scalar', undefined);
    for (const [engine, schedule] of [
      ['scalar', network.seed],
      ['simd', undefined],
      ['simd', network.seed + 7],
    ] as const) {
      const actual = train(network, engine, schedule);
      expected.forEach(({ name, values }, i) => {
        assertSameBits(actual[i]!.values, values, `${engine}, schedule ${schedule}: ${name}`);
      });
    }
  });
  fc.assert(property, { numRuns: 60, seed: SEED });
});
