import assert from 'node:assert/strict';
import test from 'node:test';
import { functional, resNet18, resNet20, resNet34, resNet50, resNet56 } from '../../src/index.ts';
import { billions, convolutionsOf, outputsOf, trainedCount } from './tables.ts';

const repeat = (count: number, list: readonly string[]) => Array.from({ length: count }, () => list).flat();

test('ResNet-20 and ResNet-56 have the parameters of the paper’s table 6: 0.27M and 0.85M', () => {
  assert.equal(trainedCount(functional(resNet20()).graph), 269_722);
  assert.equal(trainedCount(functional(resNet56()).graph), 853_018);
});

test('ResNets for CIFAR have 6n + 2 layers with the sizes and filters of section 4.2', () => {
  for (const [network, n] of [
    [resNet20, 3],
    [resNet56, 9],
  ] as const) {
    const { graph } = functional(network());
    const weighted = graph.nodes.filter(({ layer }) => ['conv2d', 'dense'].includes(layer.type));
    assert.equal(weighted.length, 6 * n + 2);
    assert.deepEqual(convolutionsOf(graph, /^(conv1|stage)/), [
      '3x3 16',
      ...repeat(2 * n, ['3x3 16']),
      ...['3x3 32/2', ...repeat(2 * n - 1, ['3x3 32'])],
      ...['3x3 64/2', ...repeat(2 * n - 1, ['3x3 64'])],
    ]);
    assert.deepEqual(outputsOf(graph, /_out$/), [
      ...repeat(n, ['32x32x16']),
      ...repeat(n, ['16x16x32']),
      ...repeat(n, ['8x8x64']),
    ]);
  }
});

test('shortcuts of ResNets for CIFAR have no parameters, and are layers only where the size changes', () => {
  const { graph } = functional(resNet20());
  const shortcuts = graph.nodes.filter(({ name }) => name.endsWith('_shortcut'));
  assert.deepEqual(
    shortcuts.map(({ name, outputShape, parameters }) => [name, outputShape.join('x'), parameters.length]),
    [
      ['stage2_block1_shortcut', '16x16x32', 0],
      ['stage3_block1_shortcut', '8x8x64', 0],
    ],
  );
});

test('ResNet-18, 34 and 50 have torchvision’s parameters', () => {
  assert.equal(trainedCount(functional(resNet18()).graph), 11_689_512);
  assert.equal(trainedCount(functional(resNet34()).graph), 21_797_672);
  assert.equal(trainedCount(functional(resNet50()).graph), 25_557_032);
});

test('their convolutions are those of the paper’s table 1', () => {
  const stage = (number: number) => new RegExp(`^conv${number}_block\\d+_[123]_conv$`);
  const basic = (depths: readonly number[]) =>
    depths.map((depth, i) => {
      const filters = 64 << i;
      const all = repeat(2 * depth, [`3x3 ${filters}`]);
      return i === 0 ? all : [`3x3 ${filters}/2`, ...all.slice(1)];
    });
  for (const [network, expected] of [
    [resNet18, basic([2, 2, 2, 2])],
    [resNet34, basic([3, 4, 6, 3])],
  ] as const) {
    const { graph } = functional(network());
    assert.deepEqual(
      [2, 3, 4, 5].map((number) => convolutionsOf(graph, stage(number))),
      expected,
    );
  }
  const { graph } = functional(resNet50({ strideIn: '1x1' }));
  assert.deepEqual(
    [2, 3, 4, 5].map((number) => convolutionsOf(graph, stage(number))),
    [3, 4, 6, 3].map((depth, i) => {
      const filters = 64 << i;
      const block = [`1x1 ${filters}`, `3x3 ${filters}`, `1x1 ${4 * filters}`];
      return [i === 0 ? block[0]! : `${block[0]}/2`, ...block.slice(1), ...repeat(depth - 1, block)];
    }),
  );
});

test('their outputs have the sizes of table 1', () => {
  for (const [network, factor] of [
    [resNet18, 1],
    [resNet50, 4],
  ] as const) {
    const { graph } = functional(network());
    assert.deepEqual(outputsOf(graph, /^(conv1_conv|pool1_pool|avg_pool|predictions)$/), [
      ...['112x112x64', '56x56x64', `${512 * factor}`, '1000'],
    ]);
    assert.deepEqual(
      [...new Set(outputsOf(graph, /_out$/))],
      [
        ...[`56x56x${64 * factor}`, `28x28x${128 * factor}`],
        ...[`14x14x${256 * factor}`, `7x7x${512 * factor}`],
      ],
    );
  }
});

test('their multiply-adds are table 1’s 1.8, 3.6 and 3.8 billion where a bottleneck strides in its first layer', () => {
  // The paper's 3.6 for 34 layers is 3.66 cut off, not rounded, and its 3.8 leaves out the shortcuts' convolutions.
  assert.equal(billions(functional(resNet18()).graph), '1.8');
  assert.equal(billions(functional(resNet34()).graph), '3.7');
  assert.equal(billions(functional(resNet50({ strideIn: '1x1' })).graph), '3.9');
  assert.equal(billions(functional(resNet50()).graph), '4.1');
});

test('a ResNet of other classes, images and widths is the same network', () => {
  const model = functional(resNet50({ classes: 5, inputShape: [65, 64, 1], filters: 8 }));
  assert.deepEqual(model.outputShape, [5]);
  assert.deepEqual(outputsOf(model.graph, /conv5_block3_out/), ['3x2x256']);
  assert.deepEqual(
    functional(resNet20({ classes: 3, inputShape: [16, 20, 1], filters: 4 })).outputShape,
    [3],
  );
});

test('with stochastic depth, later blocks are left out more often, up to the given share', () => {
  const { graph } = functional(resNet20({ stochasticDepth: 0.5 }));
  const drops = graph.nodes.filter(({ layer }) => layer.type === 'stochasticDepth');
  assert.deepEqual(
    drops.map(({ layer }) => (layer.config as { rate: number }).rate),
    Array.from({ length: 9 }, (_, i) => (0.5 * (i + 1)) / 9),
  );
  assert.ok(drops.every(({ name, inputs }) => /_depth$/.test(name) && inputs.length === 1));
});
