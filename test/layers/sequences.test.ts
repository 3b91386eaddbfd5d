import assert from 'node:assert/strict';
import test from 'node:test';
import { ShapeError } from '../../src/errors.ts';
import {
  averagePooling1d,
  averagePooling2d,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  dense,
  globalAveragePooling1d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  locallyConnected1d,
  maxPooling1d,
  maxPooling2d,
  zeroPadding2d,
} from '../../src/layers/index.ts';
import type { BufferRef, Layer } from '../../src/layers/layer.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { inferencePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { loadPlan } from '../helpers/run-plan.ts';

const shapeOf = (layer: Layer, shape: Shape) => sequentialGraph(shape, [layer]).tensors[1];

test('weights are as in Keras: [k, C/groups, filters], transposed [k, filters/groups, C]; so are the fans', () => {
  const parametersOf = (layer: Layer) =>
    graphParameters(sequentialGraph([8, 6], [layer])).map(({ spec }) => [
      spec.shape,
      spec.fanIn,
      spec.fanOut,
    ]);
  assert.deepEqual(parametersOf(conv1d({ filters: 4, kernelSize: 3, groups: 2 })), [
    [[3, 3, 4], 9, 12],
    [[4], undefined, undefined],
  ]);
  assert.deepEqual(parametersOf(conv1dTranspose({ filters: 4, kernelSize: 3, groups: 2, useBias: false })), [
    [[3, 2, 6], 6, 18],
  ]);
});

test('lengths: valid, same, causal, steps on each side; transposed same is length times stride', () => {
  const window = { filters: 2, kernelSize: 3, dilationRate: 2 } as const;
  assert.deepEqual(shapeOf(conv1d(window), [9, 1]), [5, 2]);
  assert.deepEqual(shapeOf(conv1d({ ...window, padding: 'same', strides: 2 }), [9, 1]), [5, 2]);
  assert.deepEqual(shapeOf(conv1d({ ...window, padding: 'causal' }), [9, 1]), [9, 2]);
  assert.deepEqual(shapeOf(conv1d({ ...window, padding: { left: 1, right: 2 } }), [9, 1]), [8, 2]);
  const transposed = { filters: 2, kernelSize: 3, strides: 2 } as const;
  assert.deepEqual(shapeOf(conv1dTranspose(transposed), [9, 1]), [19, 2]);
  assert.deepEqual(shapeOf(conv1dTranspose({ ...transposed, outputPadding: 1 }), [9, 1]), [20, 2]);
  assert.deepEqual(shapeOf(conv1dTranspose({ ...transposed, padding: 'same' }), [9, 1]), [18, 2]);
  for (const make of [maxPooling1d, averagePooling1d]) {
    assert.deepEqual(shapeOf(make(), [7, 3]), [3, 3]);
    assert.deepEqual(shapeOf(make({ poolSize: 3, strides: 2, padding: 'same' }), [7, 3]), [4, 3]);
  }
});

test('a causal convolution sees no later step', () => {
  const layer = conv1d({ filters: 1, kernelSize: 3, padding: 'causal', dilationRate: 2, useBias: false });
  const loaded = loadPlan(inferencePlan(layer, [8, 1], { batchSize: 1, shardSize: 1 }), 'simd');
  const parameters = { 'conv1d/weight': Float32Array.of(100, 10, 1) };
  loaded.run({ inputs: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), parameters }, { count: 1 });
  const output = loaded.read(loaded.plan.output.origin.buffer, 8);
  assert.deepEqual([...output], [1, 2, 13, 24, 135, 246, 357, 468]);
});

test('zeros lie before and after a sequence only, not in rows above and below', () => {
  const layer = conv1d({ filters: 1, kernelSize: 9, padding: 'same' });
  const plan = inferencePlan(layer, [100, 4], { batchSize: 1, shardSize: 1 });
  const calls = plan.phases.flatMap(({ units }) => units.flatMap((unit) => unit.calls));
  const [input] = calls.find(({ spec }) => spec.kind === 'conv2dForward')!.operands;
  assert.equal((input as BufferRef).buffer.sampleBytes, 4 * (100 + 2 * 4) * 4);
});

test('senseless options are refused when the layer is made, naming layer and option', () => {
  for (const make of [conv1d, conv1dTranspose]) {
    const options = { filters: 2, kernelSize: 3 };
    for (const argument of ['filters', 'kernelSize', 'strides', 'dilationRate', 'groups']) {
      for (const value of [0, 1.5, [3]])
        assertRefusedOptions(make, { ...options, [argument]: value }, argument);
    }
    for (const padding of ['full', 1, null, { left: 1 }, { left: -1, right: 0 }, { left: 0.5, right: 0 }]) {
      assertRefusedOptions(make, { ...options, padding }, 'padding');
    }
    assertRefusedOptions(make, { ...options, activation: 'swoosh' }, 'activation');
  }
  const transposed = { filters: 2, kernelSize: 3, strides: 2 };
  assertRefusedOptions(conv1dTranspose, { ...transposed, padding: 'causal' }, 'padding');
  for (const outputPadding of [2, -1, 0.5]) {
    assertRefusedOptions(conv1dTranspose, { ...transposed, outputPadding }, 'outputPadding');
  }
  for (const make of [maxPooling1d, averagePooling1d]) {
    assertRefusedOptions(make, { poolSize: 0 }, 'poolSize');
    assertRefusedOptions(make, { poolSize: [2] }, 'poolSize');
    assertRefusedOptions(make, { strides: 0.5 }, 'strides');
    assertRefusedOptions(make, { padding: 'causal' }, 'padding');
    assertRefusedShape(make({ poolSize: 5 }), [4, 1]);
    assertRefusedShape(make({ poolSize: 2, padding: { left: 2, right: 0 } }), [4, 1]);
  }
  assertRefusedOptions(averagePooling1d, { countPadding: 1 }, 'countPadding');
  assert.throws(() => conv1d({ filters: 1, kernelSize: 2, padding: 'full' as never, name: 'steps' }), {
    message:
      "conv1d \"steps\": padding: expected 'same', 'valid', 'causal' or { left, right } in whole steps, got \"full\"",
  });
});

test('layers of sequences refuse images and vectors, layers of images refuse sequences', () => {
  const window = { filters: 1, kernelSize: 1 };
  const ofSequences = [
    conv1d(window),
    conv1dTranspose(window),
    maxPooling1d(),
    averagePooling1d(),
    globalMaxPooling1d(),
    globalAveragePooling1d(),
  ];
  for (const layer of ofSequences) for (const shape of [[6], [5, 4, 3]]) assertRefusedShape(layer, shape);
  const ofImages = [
    conv2d(window),
    conv2dTranspose(window),
    maxPooling2d(),
    averagePooling2d(),
    globalMaxPooling2d(),
  ];
  for (const layer of [...ofImages, zeroPadding2d(), dense({ units: 1 })]) assertRefusedShape(layer, [6, 4]);
  assert.throws(() => sequentialGraph([6], [conv1d({ ...window, name: 'first' })]), {
    name: 'ShapeError',
    message:
      'conv1d "first": input shape: expected a sequence [L, C], got [6] (put reshape({ targetShape: [-1, 1] }) before it)',
  });
  assertRefusedShape(conv1d({ filters: 1, kernelSize: 4 }), [3, 2]);
  assert.throws(() => sequentialGraph([6, 4], [conv2d({ ...window, name: 'first' })]), {
    message: 'conv2d "first": input shape: expected an image [H, W, C], 3 positive integers, got [6,4]',
  });
});

test('what does not fit is told in steps, not in rows and columns', () => {
  const atLeast = (steps: number, got: number, option: string) =>
    `input shape: expected a sequence of at least ${steps} steps with its padding, got ${got} ` +
    `(use padding: 'same' or a smaller ${option})`;
  const cover = (left: number, right: number) =>
    'padding: expected windows of 3 steps that always cover part of the sequence, ' +
    `got ${left} steps before and ${right} after it (pad by less than the window on each side)`;
  const tooLarge = 'output shape [1073741824, 5]: expected at most 1073741824 elements, got 5368709120';
  const large = { filters: 5, kernelSize: 1, strides: 2 ** 28 };
  const cases: readonly (readonly [Layer, string])[] = [
    [conv1d({ filters: 1, kernelSize: 3, dilationRate: 3 }), atLeast(7, 4, 'kernelSize')],
    [conv1d({ filters: 1, kernelSize: 8, padding: { left: 2, right: 1 } }), atLeast(8, 7, 'kernelSize')],
    [locallyConnected1d({ filters: 1, kernelSize: 5 }), atLeast(5, 4, 'kernelSize')],
    [maxPooling1d({ poolSize: 5 }), atLeast(5, 4, 'poolSize')],
    [averagePooling1d({ poolSize: 9, padding: { left: 4, right: 0 } }), atLeast(9, 8, 'poolSize')],
    [maxPooling1d({ poolSize: 3, padding: { left: 3, right: 0 } }), cover(3, 0)],
    [averagePooling1d({ poolSize: 3, strides: 2, padding: { left: 0, right: 3 } }), cover(0, 3)],
    [
      conv1dTranspose({ filters: 1, kernelSize: 2, padding: { left: 3, right: 3 } }),
      'output shape: expected at least one step, got -1 (use less padding or a larger kernelSize)',
    ],
    [conv1dTranspose({ ...large, padding: 'same' }), tooLarge],
  ];
  for (const [layer, message] of cases) {
    const named = { name: 'ShapeError', message: `${layer.type} "${layer.type}": ${message}` };
    assert.throws(() => sequentialGraph([4, 2], [layer]), named);
  }
});

test('every window of a padded sequence that covers a step of it is taken', () => {
  for (const poolSize of [1, 2, 3]) {
    for (const strides of [1, 2, 4]) {
      for (const [left, right] of [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const))) {
        const starts: number[] = [];
        for (let at = -left; at + poolSize <= 4 + right; at += strides) starts.push(at);
        const covered = starts.length > 0 && starts.every((at) => at + poolSize > 0 && at < 4);
        const pool = maxPooling1d({ poolSize, strides, padding: { left, right } });
        const build = () => sequentialGraph([4, 1], [pool]);
        if (covered) assert.deepEqual(build().tensors.at(-1), [starts.length, 1]);
        else assert.throws(build, ShapeError);
      }
    }
  }
});
