import assert from 'node:assert/strict';
import test from 'node:test';
import { depthwiseConv2d, separableConv2d } from '../../src/layers/index.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { elementCount } from '../../src/tensor/shape.ts';
import { randomNormals } from '../helpers/arbitraries.ts';
import { inferencePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

test('weights are as in Keras: [kh, kw, C, M], then [1, 1, C*M, filters]; so are the fans', () => {
  const parametersOf = (layer: ReturnType<typeof depthwiseConv2d>) =>
    graphParameters(sequentialGraph([8, 8, 6], [layer]));
  const depthwise = parametersOf(depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 4 }));
  assert.deepEqual(
    depthwise.map(({ name, spec }) => [name, spec.shape, spec.fanIn, spec.fanOut]),
    [
      ['depthwiseConv2d/weight', [3, 2, 6, 4], 36, 24],
      ['depthwiseConv2d/bias', [24], undefined, undefined],
    ],
  );
  const separable = parametersOf(separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 }));
  assert.deepEqual(
    separable.map(({ name, spec }) => [name, spec.shape, spec.fanIn, spec.fanOut]),
    [
      ['separableConv2d/depthwiseWeight', [3, 3, 6, 2], 54, 18],
      ['separableConv2d/pointwiseWeight', [1, 1, 12, 5], 12, 5],
      ['separableConv2d/bias', [5], undefined, undefined],
    ],
  );
  const bare = parametersOf(separableConv2d({ filters: 5, kernelSize: 3, useBias: false }));
  assert.equal(bare.length, 2);
});

test('senseless options are refused when the layer is made, windows that do not fit by the model', () => {
  for (const make of [depthwiseConv2d, separableConv2d]) {
    const options = { kernelSize: 3, ...((make as unknown) === separableConv2d && { filters: 2 }) };
    assertRefusedOptions(make, { ...options, kernelSize: 0 }, 'kernelSize');
    assertRefusedOptions(make, { ...options, strides: [1] }, 'strides');
    assertRefusedOptions(make, { ...options, dilationRate: -1 }, 'dilationRate');
    assertRefusedOptions(make, { ...options, padding: 'full' }, 'padding');
    assertRefusedOptions(make, { ...options, depthMultiplier: 0 }, 'depthMultiplier');
    assertRefusedOptions(make, { ...options, depthwiseInitializer: 'glorot' }, 'depthwiseInitializer');
    assertRefusedOptions(make, { ...options, activation: 'swoosh' }, 'activation');
    assertRefusedShape(make(options as never), [2, 5, 3]);
  }
  assertRefusedOptions(separableConv2d, { kernelSize: 3 }, 'filters');
  assertRefusedOptions(
    separableConv2d,
    { filters: 1, kernelSize: 3, pointwiseInitializer: 7 },
    'pointwiseInitializer',
  );
});

test('one large image in bands, each worker with rows of the inner image, equals the image in a batch', () => {
  const shape = [64, 64, 32];
  const layer = separableConv2d({ filters: 16, kernelSize: 3, depthMultiplier: 2, padding: 'same' });
  const parameters = Object.fromEntries(
    graphParameters(sequentialGraph(shape, [layer])).map(({ name, elements }, i) => [
      name,
      randomNormals(i, elements),
    ]),
  );
  const inputs = randomNormals(9, elementCount(shape));
  const outputs = elementCount([64, 64, 16]);
  const whole = loadPlan(inferencePlan(layer, shape, { batchSize: 2, shardSize: 1 }), 'simd');
  whole.run({ inputs, parameters }, { count: 1 });
  const expected = whole.read(whole.plan.output.origin.buffer, outputs);
  const plan = inferencePlan(layer, shape, { batchSize: 1, shardSize: 1 });
  assert.ok(plan.phases.filter(({ name }) => name === 'bands').length >= 2, 'both convolutions are cut');
  const cut = loadPlan(plan, 'simd');
  cut.run({ inputs, parameters }, { count: 1, schedule: 5 });
  assertSameBits(cut.read(plan.output.origin.buffer, outputs), expected);
});
