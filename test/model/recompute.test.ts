import assert from 'node:assert/strict';
import test from 'node:test';
import {
  activation,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  dropout,
  globalAveragePooling2d,
  prelu,
} from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { applyLayer, input, type SymbolicTensor } from '../../src/layers/symbolic.ts';
import { functionalGraph } from '../../src/model/functional.ts';
import { graphParameters } from '../../src/model/graph.ts';
import { shardSizeFor } from '../../src/model/plan.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { plannedMemory } from '../../src/training/memory.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { type ProbedPlan, probedParameters, probeNetwork } from '../helpers/conformance-model.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan, type StepData } from '../helpers/run-plan.ts';

/** A layer on a tensor, as it is or as one whose output cannot be computed again. */
type Apply = (layer: Layer, x: SymbolicTensor | readonly SymbolicTensor[]) => SymbolicTensor;
type Network = (x: SymbolicTensor, apply: Apply) => SymbolicTensor;

const again: Apply = applyLayer;
const kept: Apply = (layer, x) =>
  applyLayer({ ...layer, definition: { ...layer.definition, recompute: undefined } } as Layer, x);

const conv = (filters: number, kernelSize: number) =>
  conv2d({ filters, kernelSize, padding: 'same', useBias: false });
const relu = () => activation({ function: 'relu' });

/** A dense block of so many layers that add k channels each, with bottlenecks of 4k or without. */
function block(layers: number, k: number, bottleneck: boolean): Network {
  return (x, apply) => {
    let y = x;
    for (let i = 0; i < layers; i++) {
      let z = apply(relu(), apply(batchNormalization(), y));
      if (bottleneck) z = apply(relu(), apply(batchNormalization(), apply(conv(4 * k, 1), z)));
      y = apply(concatenate(), [y, apply(conv(k, 3), z)]);
    }
    return y;
  };
}

const NETWORKS: Record<string, Network> = {
  'a block with bottlenecks': block(3, 3, true),
  'a block without': block(4, 2, false),
  'blocks with a transition, dropout and ghost batches': (x, apply) => {
    const first = block(2, 3, true)(x, apply);
    const normal = apply(batchNormalization({ ghostBatchSize: 2 }), first);
    const small = apply(averagePooling2d({ poolSize: 2 }), apply(conv(4, 1), apply(relu(), normal)));
    const dropped = apply(dropout({ rate: 0.3 }), small);
    return apply(globalAveragePooling2d(), apply(relu(), block(2, 2, false)(dropped, apply)));
  },
  'other activations, frozen and without parameters of their own': (x, apply) => {
    const joined = apply(concatenate(), [x, apply(conv(3, 3), x)]);
    const frozen = apply(batchNormalization({ trainable: false }), joined);
    const plain = apply(batchNormalization({ center: false, scale: false }), joined);
    const bent = apply(prelu(), apply(activation({ function: 'elu' }), frozen));
    const other = apply(conv(5, 3), apply(activation({ function: 'silu' }), plain));
    return apply(concatenate(), [
      apply(conv(2, 5), bent),
      other,
      apply(activation({ function: 'tanh' }), joined),
    ]);
  },
  'one normalisation of two readers, and one that is shared': (x, apply) => {
    const joined = apply(concatenate(), [x, apply(conv(2, 1), x)]);
    const normal = apply(relu(), apply(batchNormalization(), joined));
    const shared = batchNormalization({ name: 'shared' });
    const both = [apply(conv(3, 3), normal), apply(conv(3, 1), normal)];
    const twice = apply(concatenate(), both);
    const use = (y: SymbolicTensor) => apply(conv(2, 3), shared(y));
    return apply(concatenate(), [use(twice), use(twice), twice]);
  },
};

const SHAPE = [5, 6, 3];
const BATCH = { batchSize: 5, shardSize: 2, seed: 3 };

function probe(network: Network, apply: Apply, shardSize = BATCH.shardSize): ProbedPlan {
  return probeNetwork((x) => network(x, apply), SHAPE, { ...BATCH, shardSize });
}

function step(probed: ProbedPlan, engine: 'scalar' | 'simd', data: StepData, schedule?: number) {
  const { graph, plan, outputs, gradInputs } = probed;
  const loaded = loadPlan(plan, engine);
  // Twice, so that what the first step leaves in memory would show.
  for (let i = 0; i < 2; i++) loaded.run(data, { count: 5, schedule });
  return {
    outputs: loaded.read(outputs, 5 * elementCount(graph.tensors[graph.output]!)),
    gradInputs: loaded.read(gradInputs, 5 * elementCount(SHAPE)),
    ...loaded.gradients(),
  } as Record<string, Float32Array>;
}

function callsOf({ plan }: ProbedPlan, kind: string): number {
  const calls = plan.phases.flatMap(({ units }) => units.find(({ shard }) => shard <= 0)?.calls ?? []);
  return calls.filter(({ spec }) => spec.kind === kind).length;
}

for (const [title, network] of Object.entries(NETWORKS)) {
  test(`${title}: computed again or kept, the bits are the same, on engines, schedules and shards`, () => {
    const [recomputed, whole] = [probe(network, again), probe(network, kept)];
    const parameters = probedParameters(recomputed.graph).map(({ name, elements }, i) => {
      const values = randomNormals(20 + i, elements);
      return [name, name.endsWith('/movingVariance') ? values.map(Math.abs) : values] as const;
    });
    const outputs = elementCount(recomputed.graph.tensors[recomputed.graph.output]!);
    const data = {
      inputs: randomNormals(1, 5 * elementCount(SHAPE)),
      targets: randomNormals(2, 5 * outputs),
      parameters: Object.fromEntries(parameters),
      step: 4,
    };
    const expected = step(whole, 'scalar', data);
    const check = (actual: Record<string, Float32Array>, what: string) => {
      assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
      for (const [name, values] of Object.entries(expected)) {
        assertSameBits(actual[name]!, values, `${what}: ${name}`);
      }
    };
    check(step(recomputed, 'scalar', data), 'scalar');
    check(step(recomputed, 'scalar', data, 7), 'another order of units');
    check(step(recomputed, 'simd', data), 'SIMD');
    check(step(recomputed, 'simd', data, 8), 'SIMD in another order');
    const [one, other] = [again, kept].map((apply) => step(probe(network, apply, 5), 'simd', data));
    for (const [name, values] of Object.entries(other!)) {
      assertSameBits(one![name]!, values, `one shard: ${name}`);
    }
    assert.ok(callsOf(recomputed, 'batchNormForward') > callsOf(whole, 'batchNormForward'));
  });
}

test('each normalisation of a concatenation is computed once more, and no other', () => {
  const [recomputed, whole] = [probe(block(3, 3, true), again), probe(block(3, 3, true), kept)];
  assert.equal(callsOf(whole, 'batchNormForward'), 6);
  // The first layer normalises the block's input, which lies in the concatenation, too.
  assert.equal(callsOf(recomputed, 'batchNormForward'), 9);
  assert.equal(callsOf(recomputed, 'activationForward') - callsOf(whole, 'activationForward'), 3);
  const residual: Network = (x, apply) =>
    apply(conv(3, 3), apply(relu(), apply(batchNormalization(), apply(conv(4, 3), x))));
  assert.equal(callsOf(probe(residual, again), 'batchNormForward'), 1);
});

/** Bytes of a training step of a block on [32, 32, 24], without the gradients of its parameters: a copy a shard, a sum. */
function stepBytes(layers: number, bottleneck: boolean, apply: Apply): number {
  const x = input({ shape: [32, 32, 24] });
  const graph = functionalGraph(x, block(layers, 12, bottleneck)(x, apply));
  const batchSize = 16;
  const copies = batchSize / shardSizeFor(batchSize) + 1;
  const gradients = graphParameters(graph).reduce((sum, { elements }) => sum + 4 * copies * elements, 0);
  return plannedMemory(graph, 'direct', { batchSize, threads: 1 }).stepBytes - gradients;
}

for (const bottleneck of [true, false]) {
  test(`a block’s memory grows linearly with its layers, ${bottleneck ? 'with' : 'without'} bottlenecks`, () => {
    const growth = (apply: Apply) => {
      const [four, eight, sixteen] = [4, 8, 16].map((layers) => stepBytes(layers, bottleneck, apply));
      return (sixteen! - eight!) / (eight! - four!);
    };
    // Twice as many layers more: twice as much more, and the statistics of the channels.
    const linear = growth(again);
    assert.ok(Math.abs(linear - 2) <= 0.02, `${linear}, not 2`);
    const quadratic = growth(kept);
    assert.ok(quadratic > 2.3, `kept, it would be ${quadratic}`);
  });
}
