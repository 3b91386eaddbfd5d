import assert from 'node:assert/strict';
import test from 'node:test';
import {
  add,
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
} from '../../src/layers/index.ts';
import { input, type SymbolicTensor } from '../../src/layers/symbolic.ts';
import { functionalGraph } from '../../src/model/functional.ts';
import { layoutTensors } from '../../src/model/layout.ts';
import { plannedMemory } from '../../src/training/memory.ts';
import { checkExactGradients, checkNetwork } from '../helpers/conformance-graph.ts';
import { probeNetwork } from '../helpers/conformance-model.ts';

const conv = (filters: number, kernelSize = 3) => conv2d({ filters, kernelSize, padding: 'same' });
type Network = (x: SymbolicTensor) => SymbolicTensor;

/** [root, channel] of each tensor of a network on [8, 8, 2]; tensor 0 is its input. */
function places(network: Network, mode: 'train' | 'infer' = 'train') {
  const x = input({ shape: [8, 8, 2] });
  return layoutTensors(functionalGraph(x, network(x)), mode).places.map(({ root, channel }) => [
    root,
    channel,
  ]);
}

/** Calls of a kind in a training step of a shard. */
function calls(network: Network, kind: string): number {
  const { plan } = probeNetwork(network, [8, 8, 2], { batchSize: 2, shardSize: 2, first: true });
  const [unit] = plan.phases.find(({ name }) => name === 'shards')!.units;
  return unit!.calls.filter(({ spec }) => spec.kind === kind).length;
}

/** Copies beside the two of the tests' own loss. */
const copies = (network: Network) => calls(network, 'copyView') - 2;

test('branches lie in their part of a concatenation, which copies nothing', () => {
  const inception: Network = (x) => concatenate()([conv(3, 1)(x), conv(4)(x), conv(5, 5)(x)]);
  assert.deepEqual(places(inception), [
    [0, 0],
    [4, 0],
    [4, 3],
    [4, 7],
    [4, 0],
  ]);
  assert.equal(copies(inception), 0);
});

test('all parts have one buffer, its strides and the widest halo that any reader needs', () => {
  const x = input({ shape: [8, 8, 2] });
  const a = conv(3)(x);
  const b = conv(4)(a);
  const graph = functionalGraph(x, conv(2, 5)(concatenate()([a, b])));
  const { activations } = layoutTensors(graph, 'train');
  for (const [tensor, channel] of [
    [1, 0],
    [2, 3],
    [3, 0],
  ] as const) {
    const { view, origin } = activations[tensor]!;
    assert.equal(origin.buffer, activations[3]!.origin.buffer);
    assert.equal(origin.offsetBytes, 4 * channel);
    assert.deepEqual([view.pixelStride, view.rowStride, view.halo], [7, 12 * 7, 2]);
  }
});

test('a model’s input may be a part', () => {
  const network: Network = (x) => conv(2)(concatenate()([conv(3)(x), x]));
  assert.deepEqual(places(network)[0], [2, 3]);
  assert.equal(copies(network), 0);
});

/** A DenseNet block by either of the two ways to write it. */
function block(layers: number, growth: number, flat: boolean): Network {
  return (x) => {
    const all = [conv(4)(x)];
    let joined = all[0]!;
    for (let i = 0; i < layers; i++) {
      const next = conv(growth)(joined);
      all.push(next);
      joined = concatenate()(flat ? all : [joined, next]);
    }
    return dense({ units: 2 })(globalAveragePooling2d()(joined));
  };
}

for (const flat of [false, true]) {
  test(`a DenseNet block is one buffer (${flat ? 'each layer’s list of all' : 'pairwise'})`, () => {
    assert.equal(copies(block(5, 3, flat)), 0);
    const roots = new Set(
      places(block(5, 3, flat))
        .slice(1, 12)
        .map(([root]) => root),
    );
    assert.equal(roots.size, 1);
  });
}

test('a DenseNet block’s activations and gradients grow linearly with its layers', () => {
  const scratchBytes = (layers: number) => {
    const x = input({ shape: [16, 16, 3] });
    const graph = functionalGraph(x, block(layers, 16, false)(x));
    const one = plannedMemory(graph, 'direct', { batchSize: 4, threads: 1 }).stepBytes;
    return plannedMemory(graph, 'direct', { batchSize: 4, threads: 2 }).stepBytes - one;
  };
  const bytes = [8, 16, 24, 32].map(scratchBytes);
  const steps = bytes.slice(1).map((value, i) => value - bytes[i]!);
  // Eight layers more: 128 channels in activations and gradients, [18, 18] with their halo, one sample a shard.
  for (const step of steps) assert.ok(Math.abs(step - 2 * 128 * 18 * 18 * 4) <= 4096, `${steps}`);
});

test('a tensor twice in one concatenation, or in two, is copied where it cannot lie', () => {
  const twice: Network = (x) => {
    const a = conv(3)(x);
    return concatenate()([a, a]);
  };
  assert.deepEqual(places(twice), [
    [0, 0],
    [2, 0],
    [2, 0],
  ]);
  assert.equal(copies(twice), 2, 'forward and backward');
  const two: Network = (x) => {
    const [a, b] = [conv(3)(x), conv(2)(x)];
    return add()([conv(1)(concatenate()([a, b])), conv(1)(concatenate()([b, a]))]);
  };
  // add copies its two inputs and hands two gradients on.
  assert.equal(copies(two) - 4, 4);
});

test('flatten copies a slice to a place of its own, from where a concatenation copies it', () => {
  const network: Network = (x) => {
    const [a, b] = [conv(3, 1)(x), conv(2, 1)(x)];
    const joined = concatenate()([a, b]);
    return concatenate()([flatten()(a), flatten()(joined)]);
  };
  assert.deepEqual(places(network, 'infer'), [
    [0, 0],
    [3, 0],
    [3, 3],
    [3, 0],
    [4, 0],
    [3, 0],
    [6, 0],
  ]);
  checkNetwork(network, [3, 4, 2], 5);
  checkExactGradients(network, [3, 4, 2], 6);
});

test('dropout outside of training is another name of a part', () => {
  const network: Network = (x) => concatenate()([conv(3)(x), dropout({ rate: 0.5 })(conv(2)(x))]);
  assert.deepEqual(places(network, 'infer'), [
    [0, 0],
    [4, 0],
    [4, 3],
    [4, 3],
    [4, 0],
  ]);
  assert.deepEqual(places(network, 'train'), [
    [0, 0],
    [4, 0],
    [2, 0],
    [4, 3],
    [4, 0],
  ]);
});

test('a part whose other reader comes later has the rest of the gradient cleared, and only then', () => {
  const later: Network = (x) => {
    const [a, b] = [conv(3)(x), conv(2)(x)];
    const c = conv(4)(concatenate()([a, b]));
    return add()([c, conv(4, 1)(a)]);
  };
  assert.equal(calls(later, 'clearView'), 1);
  const earlier: Network = (x) => {
    const a = conv(3)(x);
    return conv(4)(concatenate()([a, conv(2)(a)]));
  };
  assert.equal(calls(earlier, 'clearView'), 0);
});
