import assert from 'node:assert/strict';
import test from 'node:test';
import {
  cifarInception,
  denseNet121,
  functional,
  googLeNet,
  googLeNetBN,
  googLeNetLossWeights,
  input,
  lenet5,
  naiveInception,
  resNet18,
  sequential,
  uNet,
  vgg16,
  vgg19,
} from '../../src/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { layoutTensors } from '../../src/model/layout.ts';
import { summaryRows } from '../../src/model/summary.ts';
import { convolutionsOf, outputsOf, trainedCount } from './tables.ts';

const table = (graph: Parameters<typeof summaryRows>[0]) =>
  summaryRows(graph).map(({ name, outputShape, parameters }) => [name, outputShape.join('x'), parameters]);

test('VGG16 has the table of the notebook, and 138,357,544 parameters', () => {
  const graph = sequentialGraph([224, 224, 3], vgg16());
  assert.deepEqual(table(graph), [
    ['block1_conv1', '224x224x64', 1792],
    ['block1_conv2', '224x224x64', 36928],
    ['block1_pool', '112x112x64', 0],
    ['block2_conv1', '112x112x128', 73856],
    ['block2_conv2', '112x112x128', 147584],
    ['block2_pool', '56x56x128', 0],
    ['block3_conv1', '56x56x256', 295168],
    ['block3_conv2', '56x56x256', 590080],
    ['block3_conv3', '56x56x256', 590080],
    ['block3_pool', '28x28x256', 0],
    ['block4_conv1', '28x28x512', 1180160],
    ['block4_conv2', '28x28x512', 2359808],
    ['block4_conv3', '28x28x512', 2359808],
    ['block4_pool', '14x14x512', 0],
    ['block5_conv1', '14x14x512', 2359808],
    ['block5_conv2', '14x14x512', 2359808],
    ['block5_conv3', '14x14x512', 2359808],
    ['block5_pool', '7x7x512', 0],
    ['flatten', '25088', 0],
    ['fc1', '4096', 102764544],
    ['fc2', '4096', 16781312],
    ['predictions', '1000', 4097000],
  ]);
  assert.equal(sequential({ inputShape: [224, 224, 3] }, vgg16()).parameterCount, 138_357_544);
});

test('VGG19 has 143,667,240 parameters; without its top VGG16 has 14,714,688', () => {
  assert.equal(sequential({ inputShape: [224, 224, 3] }, vgg19()).parameterCount, 143_667_240);
  const body = sequential({ inputShape: [224, 224, 3] }, vgg16({ includeTop: false }));
  assert.equal(body.parameterCount, 14_714_688);
  assert.deepEqual(body.outputShape, [7, 7, 512]);
});

test('a VGG for other classes has the paper’s dropout where it is asked for', () => {
  const graph = sequentialGraph([64, 64, 3], vgg16({ classes: 7, dropout: 0.5 }));
  assert.deepEqual(graph.tensors.at(-1), [7]);
  assert.deepEqual(
    summaryRows(graph)
      .slice(-5)
      .map(({ name }) => name),
    ['fc1', 'fc1_dropout', 'fc2', 'fc2_dropout', 'predictions'],
  );
});

test('LeNet-5 has 61,706 parameters and the paper’s sizes of maps', () => {
  assert.deepEqual(table(sequentialGraph([32, 32, 1], lenet5())), [
    ['C1', '28x28x6', 156],
    ['S2', '14x14x6', 0],
    ['C3', '10x10x16', 2416],
    ['S4', '5x5x16', 0],
    ['C5', '1x1x120', 48120],
    ['flatten', '120', 0],
    ['F6', '84', 10164],
    ['output', '10', 850],
  ]);
});

test('GoogLeNet’s modules have the output sizes of the paper’s table 1; 13,378,280 parameters, 6,998,552 without heads', () => {
  const { graph, parameterCount } = functional(googLeNet({ auxiliaryHeads: false }));
  assert.equal(functional(googLeNet()).parameterCount, 13_378_280);
  const modules = summaryRows(graph).filter(({ type }) => type === 'concatenate');
  assert.deepEqual(
    modules.map(({ name, outputShape }) => `${name.slice(0, 2)} ${outputShape.join('x')}`),
    [
      ...['3a 28x28x256', '3b 28x28x480', '4a 14x14x512', '4b 14x14x512', '4c 14x14x512'],
      ...['4d 14x14x528', '4e 14x14x832', '5a 7x7x832', '5b 7x7x1024'],
    ],
  );
  assert.equal(parameterCount, 6_998_552);
});

test('the branches of every inception module lie in its output', () => {
  const { graph } = functional(googLeNet());
  const { places } = layoutTensors(graph, 'infer');
  for (const { layer, inputs, output } of graph.nodes) {
    if (layer.type !== 'concatenate') continue;
    for (const index of inputs) assert.equal(places[index]!.root, places[output]!.root);
  }
});

test('a naive module hands its input’s channels on', () => {
  const x = input({ shape: [28, 28, 192] });
  const module = naiveInception(x, { name: 'naive', conv1x1: 64, conv3x3: 128, conv5x5: 32 });
  assert.deepEqual(module.shape, [28, 28, 64 + 128 + 32 + 192]);
});

test('the small inception network for CIFAR-10 has 343,202 parameters', () => {
  const model = functional(cifarInception());
  assert.equal(model.parameterCount, 343_202);
  assert.deepEqual(model.outputShape, [10]);
});

test('U-Net has 31,030,658 parameters and an output for every pixel', () => {
  const model = functional(uNet());
  assert.equal(model.parameterCount, 31_030_658);
  assert.deepEqual(model.outputShape, [512, 512, 2]);
  const small = functional(uNet({ inputShape: [32, 16, 3], classes: 5, filters: 8, levels: 3 }));
  assert.deepEqual(small.outputShape, [32, 16, 5]);
});

test('a summary of a network with branches has a column of connections, one without has none', () => {
  const lines = functional(cifarInception()).summary().split('\n');
  assert.match(lines[0]!, /Multiply-adds {2}Connected to$/);
  assert.match(
    lines.find((line) => line.startsWith('3a_output'))!,
    /3a_1x1, 3a_3x3, 3a_5x5, 3a_pool_projection$/,
  );
  assert.match(lines.find((line) => line.startsWith('conv1'))!, / image$/);
  assert.doesNotMatch(sequential({ inputShape: [32, 32, 1] }, lenet5()).summary(), /Connected/);
});

test('GoogLeNet with batch normalisation has torchvision’s 13,004,888 trained parameters, and the same sizes', () => {
  const { graph } = functional(googLeNetBN());
  assert.equal(trainedCount(graph), 13_004_888);
  assert.equal(trainedCount(functional(googLeNetBN({ auxiliaryHeads: false })).graph), 6_624_904);
  const sizes = (network: typeof graph) => outputsOf(network, /^(pool\d|[345][a-e]_output|mean|output)$/);
  assert.deepEqual(sizes(graph), sizes(functional(googLeNet()).graph));
  // The windows of the modules' third branches.
  assert.deepEqual([...new Set(convolutionsOf(graph, /_5x5$/).map((text) => text.split(' ')[0]))], ['3x3']);
});

test('classifiers return logits where they are asked to', () => {
  const linear = { classifierActivation: 'linear' } as const;
  const lastTypes = [resNet18(linear), denseNet121(linear), googLeNet(linear), googLeNetBN(linear)].map(
    (network) => functional(network).graph.nodes.at(-1)!.layer.type,
  );
  assert.deepEqual([...new Set(lastTypes)], ['dense']);
  assert.equal(sequentialGraph([32, 32, 3], vgg16(linear)).nodes.at(-1)!.layer.type, 'dense');
});

test('GoogLeNet’s auxiliary heads hear 4a and 4d and have the sizes of the paper’s section 5', () => {
  const model = functional(googLeNet());
  assert.deepEqual(model.graph.outputNames, ['main', 'auxiliary1', 'auxiliary2']);
  assert.deepEqual(Object.keys(googLeNetLossWeights), model.graph.outputNames);
  assert.deepEqual(outputsOf(model.graph, /^auxiliary1/), [
    ...['4x4x512', '4x4x128', '2048', '1024', '1024', '1000'],
  ]);
  assert.deepEqual(outputsOf(model.graph, /^auxiliary2_pool/), ['4x4x528']);
  assert.deepEqual(outputsOf(functional(googLeNetBN()).graph, /^auxiliary2_(pool|conv)$/), [
    '4x4x528',
    '4x4x128',
  ]);
  const rates = model.graph.nodes.flatMap(({ layer }) =>
    layer.type === 'dropout' ? [(layer.config as { rate: number }).rate] : [],
  );
  assert.deepEqual(rates, [0.7, 0.7, 0.4]);
});

test('GoogLeNet normalises by local response before and behind the stem’s second convolution', () => {
  const { graph } = functional(googLeNet());
  const order = summaryRows(graph).map(({ name }) => name);
  assert.deepEqual(order.slice(0, 7), ['conv1', 'pool1', 'norm1', 'conv2_reduce', 'conv2', 'norm2', 'pool2']);
});
