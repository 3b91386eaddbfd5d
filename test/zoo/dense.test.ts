import assert from 'node:assert/strict';
import test from 'node:test';
import {
  denseNet40,
  denseNet121,
  denseNet169,
  denseNet201,
  denseNetBC40,
  denseNetBC100,
  functional,
} from '../../src/index.ts';
import type { Graph } from '../../src/model/graph.ts';
import { layoutTensors } from '../../src/model/layout.ts';
import { billions, convolutionsOf, joinedParts, outputsOf, trainedCount } from './tables.ts';

const IMAGENET = [
  { network: denseNet121, depths: [6, 12, 24, 16], all: 8_062_504, trained: 7_978_856 },
  { network: denseNet169, depths: [6, 12, 32, 32], all: 14_307_880, trained: 14_149_480 },
  { network: denseNet201, depths: [6, 12, 48, 32], all: 20_242_984, trained: 20_013_928 },
] as const;

test('DenseNet-121, 169 and 201 have Keras’ parameters, and torchvision’s trained ones', () => {
  for (const { network, all, trained } of IMAGENET) {
    const model = functional(network());
    assert.equal(model.parameterCount, all);
    assert.equal(trainedCount(model.graph), trained);
  }
});

test('DenseNet-40 and DenseNet-BC-100 have the 1.0M and 0.8M of the paper’s table 2', () => {
  assert.equal(trainedCount(functional(denseNet40()).graph), 1_019_722);
  assert.equal(trainedCount(functional(denseNetBC100()).graph), 769_162);
  assert.equal(trainedCount(functional(denseNetBC40()).graph), 176_122);
});

test('blocks, transitions and sizes are those of the paper’s table 1', () => {
  for (const { network, depths } of IMAGENET) {
    const { graph } = functional(network());
    assert.deepEqual(outputsOf(graph, /^(conv1_conv|pool\d|pool\d_conv|pool\d_pool|avg_pool|predictions)$/), [
      ...['112x112x64', '56x56x64'],
      ...['56x56x128', '28x28x128'],
      ...['28x28x256', '14x14x256'],
      ...transitionSizes(depths[2]),
      ...[`${finalChannels(depths)}`, '1000'],
    ]);
    depths.forEach((depth, i) => {
      const block = convolutionsOf(graph, new RegExp(`^conv${i + 2}_block`));
      assert.deepEqual(block, Array.from({ length: depth }, () => ['1x1 128', '3x3 32']).flat());
    });
  }
  assert.equal(billions(functional(denseNet121()).graph), '2.8');
});

/** Of the third transition: half of what its block leaves. */
function transitionSizes(depth: number): string[] {
  const channels = (256 + 32 * depth) / 2;
  return [`14x14x${channels}`, `7x7x${channels}`];
}

function finalChannels(depths: readonly number[]): number {
  const [stem, ...rest] = [64, ...depths];
  return rest.reduce((channels, depth, i) => (i === 0 ? channels : channels / 2) + 32 * depth, stem!);
}

/** Of the layers of the block `convN`: how many of the block's tensors each one reads. */
function connections(graph: Graph, block: number): number[] {
  const first = graph.nodes.filter(({ name }) => new RegExp(`^conv${block}_block\\d+_0_bn$`).test(name));
  return first.map(({ inputs }) => joinedParts(graph, inputs[0]!).length);
}

test('in a block of n layers, layer i reads i tensors: n(n + 1)/2 connections', () => {
  for (const { network, depths } of [
    ...IMAGENET,
    { network: denseNet40, depths: [12, 12, 12] },
    { network: denseNetBC40, depths: [6, 6, 6] },
    { network: denseNetBC100, depths: [16, 16, 16] },
  ]) {
    const { graph } = functional(network());
    depths.forEach((n, i) => {
      const reads = connections(graph, i + 2);
      assert.deepEqual(
        reads,
        Array.from({ length: n }, (_, layer) => layer + 1),
      );
      assert.equal(
        reads.reduce((sum, count) => sum + count, 0),
        (n * (n + 1)) / 2,
      );
    });
  }
});

test('all layers of a block write into one buffer, activations and gradients', () => {
  const { graph } = functional(denseNet40({ inputShape: [8, 8, 3] }));
  for (const mode of ['train', 'infer'] as const) {
    const { places } = layoutTensors(graph, mode);
    for (const { layer, inputs, output } of graph.nodes) {
      if (layer.type !== 'concatenate') continue;
      for (const index of inputs) assert.equal(places[index]!.root, places[output]!.root);
    }
  }
});

test('a DenseNet of other widths with dropout is the same network', () => {
  const options = { classes: 3, inputShape: [33, 40, 1], growthRate: 4, dropout: 0.2 } as const;
  assert.deepEqual(functional(denseNetBC100(options)).outputShape, [3]);
  const { graph } = functional(denseNet121(options));
  const dropouts = graph.nodes.filter(({ layer }) => layer.type === 'dropout');
  // After both convolutions of 58 layers and those of 3 transitions.
  assert.equal(dropouts.length, 2 * 58 + 3);
  assert.deepEqual(graph.tensors[graph.output], [3]);
});
