import assert from 'node:assert/strict';
import test from 'node:test';
import { conv2d, conv2dTranspose } from '../../src/layers/index.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';

const REFUSED: readonly [argument: string, options: object][] = [
  ['filters', { filters: 0 }],
  ['filters', { filters: 2.5 }],
  ['filters', { filters: undefined }],
  ['kernelSize', { kernelSize: 0 }],
  ['kernelSize', { kernelSize: [3] }],
  ['kernelSize', { kernelSize: undefined }],
  ['strides', { strides: -1 }],
  ['strides', { strides: [1, 2, 3] }],
  ['dilationRate', { dilationRate: 1.5 }],
  ['padding', { padding: 'full' }],
  ['padding', { padding: { top: 1, right: 0, bottom: -1, left: 0 } }],
  ['groups', { groups: 0 }],
  ['activation', { activation: 'swoosh' }],
  ['kernelInitializer', { kernelInitializer: 'glorot' }],
  ['biasInitializer', { biasInitializer: { name: 'constant', value: Infinity } }],
];

test('senseless options are refused when the layer is made, naming layer and option', () => {
  for (const [argument, options] of REFUSED) {
    for (const make of [conv2d, conv2dTranspose]) {
      assertRefusedOptions(make, { filters: 2, kernelSize: 3, ...options }, argument);
    }
  }
  assertRefusedOptions(conv2d, { filters: 2, kernelSize: 3, algorithm: 'fft' }, 'algorithm');
});

test('what only the input can tell is refused when the model is made, naming the layer', () => {
  assertRefusedShape(conv2d({ filters: 2, kernelSize: 4, name: 'wide' }), [3, 5, 1]);
  assertRefusedShape(conv2dTranspose({ filters: 2, kernelSize: 1, padding: pixels(2) }), [3, 3, 1]);
  const refused = (layer: ReturnType<typeof conv2d>, message: RegExp) =>
    assert.throws(() => sequentialGraph([4, 4, 3], [layer]), { name: 'ConfigError', message });
  refused(
    conv2d({ filters: 4, kernelSize: 1, groups: 2 }),
    /conv2d "conv2d": groups: expected a divisor of 3/,
  );
  refused(
    conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, outputPadding: 2, name: 'up' }),
    /conv2dTranspose "up": outputPadding: expected whole pixels below the strides \[2, 2\], got 2/,
  );
});

function pixels(n: number) {
  return { top: n, right: n, bottom: n, left: n };
}

test('weights are [kh, kw, C/groups, filters], transposed [kh, kw, filters/groups, C]; fans as in Keras', () => {
  const [weight, bias] = graphParameters(
    sequentialGraph([8, 8, 6], [conv2d({ filters: 4, kernelSize: [3, 2], groups: 2 })]),
  );
  assert.deepEqual(weight!.spec.shape, [3, 2, 3, 4]);
  assert.deepEqual([weight!.spec.fanIn, weight!.spec.fanOut], [18, 24]);
  assert.deepEqual([weight!.name, bias!.name], ['conv2d/weight', 'conv2d/bias']);
  assert.deepEqual(bias!.spec.shape, [4]);
  const [transposed, ...rest] = graphParameters(
    sequentialGraph(
      [8, 8, 6],
      [conv2dTranspose({ filters: 4, kernelSize: [3, 2], groups: 2, useBias: false })],
    ),
  );
  assert.deepEqual(transposed!.spec.shape, [3, 2, 2, 6]);
  assert.deepEqual(rest, []);
});

test('output shapes: same is ceil(size/stride), transposed same is size*stride', () => {
  const shapeOf = (layer: ReturnType<typeof conv2d>, shape: readonly number[]) =>
    sequentialGraph(shape, [layer]).tensors[1];
  const options = { filters: 2, kernelSize: 3, strides: [2, 3], padding: 'same' } as const;
  assert.deepEqual(shapeOf(conv2d(options), [7, 7, 1]), [4, 3, 2]);
  assert.deepEqual(shapeOf(conv2dTranspose(options), [7, 7, 1]), [14, 21, 2]);
  assert.deepEqual(shapeOf(conv2d({ filters: 2, kernelSize: 3, dilationRate: 3 }), [7, 9, 1]), [1, 3, 2]);
  assert.deepEqual(
    shapeOf(conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, outputPadding: 1 }), [7, 9, 1]),
    [16, 20, 2],
  );
});
