import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adaptiveAveragePooling2d,
  cropping2d,
  reflectionPadding2d,
  upSampling2d,
  zeroPadding2d,
} from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { inferencePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';

const shapeOf = (layer: Layer, shape: Shape) => sequentialGraph(shape, [layer]).tensors[1];

test('defaults are those of Keras: one pixel of zeros, no crop, twice the size', () => {
  assert.deepEqual(shapeOf(zeroPadding2d(), [3, 4, 2]), [5, 6, 2]);
  assert.deepEqual(shapeOf(cropping2d(), [3, 4, 2]), [3, 4, 2]);
  assert.deepEqual(shapeOf(upSampling2d(), [3, 4, 2]), [6, 8, 2]);
  assert.deepEqual(upSampling2d().config, { size: [2, 2], interpolation: 'nearest' });
  assert.deepEqual(shapeOf(reflectionPadding2d(), [3, 4, 2]), [5, 6, 2]);
});

test('margins are one number, [vertical, horizontal], pairs of sides, or sides by name', () => {
  const asymmetric = [
    [1, 2],
    [0, 3],
  ] as const;
  for (const [padding, shape] of [
    [2, [7, 8, 1]],
    [
      [1, 2],
      [5, 8, 1],
    ],
    [asymmetric, [6, 7, 1]],
    [{ top: 1, bottom: 2, left: 0, right: 3 }, [6, 7, 1]],
  ] as const) {
    assert.deepEqual(shapeOf(zeroPadding2d({ padding }), [3, 4, 1]), shape);
    assert.deepEqual(shapeOf(cropping2d({ cropping: padding }), shape), [3, 4, 1]);
  }
  const { config } = zeroPadding2d({ padding: asymmetric });
  assert.deepEqual(config, { padding: { top: 1, right: 3, bottom: 2, left: 0 } });
});

test('what are no margins is refused when the layer is made, naming layer and option', () => {
  const wrong = [
    -1,
    0.5,
    '1',
    null,
    [1],
    [1, 2, 3],
    [[1, 2]],
    [[1, 2, 3], 4],
    [[1], [2, 3]],
    { top: 1 },
    Infinity,
  ];
  for (const margins of wrong) {
    assertRefusedOptions(zeroPadding2d, { padding: margins }, 'padding');
    assertRefusedOptions(cropping2d, { cropping: margins }, 'cropping');
    assertRefusedOptions(reflectionPadding2d, { padding: margins }, 'padding');
  }
  assert.throws(() => zeroPadding2d({ padding: -1, name: 'frame' }), {
    name: 'ConfigError',
    message:
      'zeroPadding2d "frame": padding: expected whole pixels: one number, two, [[top, bottom], [left, right]] or ' +
      '{ top, right, bottom, left }, got -1',
  });
  for (const size of [0, 1.5, [2], [2, 2, 2], '2']) assertRefusedOptions(upSampling2d, { size }, 'size');
  assertRefusedOptions(upSampling2d, { interpolation: 'bicubic' }, 'interpolation');
  for (const outputSize of [undefined, 0, [1], '2']) {
    assertRefusedOptions(adaptiveAveragePooling2d, { outputSize }, 'outputSize');
  }
});

test('a crop that leaves nothing is refused where the layer meets its input', () => {
  assert.throws(() => sequentialGraph([4, 9, 1], [cropping2d({ cropping: [2, 1], name: 'crop' })]), {
    name: 'ShapeError',
    message:
      'cropping2d "crop": input shape: expected an image of at least [5, 3] pixels, got [4, 9] (crop less)',
  });
});

test('an image is not mirrored by more pixels than it has', () => {
  assert.deepEqual(shapeOf(reflectionPadding2d({ padding: [2, 3] }), [3, 4, 1]), [7, 10, 1]);
  assert.throws(
    () => sequentialGraph([3, 4, 1], [reflectionPadding2d({ padding: [3, 1], name: 'mirror' })]),
    {
      name: 'ShapeError',
      message:
        'reflectionPadding2d "mirror": input shape: expected an image of at least [4, 2] pixels, more than the padding, ' +
        'got [3, 4] (pad by less)',
    },
  );
});

test('pooling to a size that divides is one call, another one a call a window', () => {
  const calls = (outputSize: readonly [number, number]) => {
    const plan = inferencePlan(adaptiveAveragePooling2d({ outputSize }), [6, 8, 3], {
      batchSize: 2,
      shardSize: 2,
    });
    return plan.phases
      .flatMap(({ units }) => units.flatMap((unit) => unit.calls))
      .filter(({ spec }) => spec.kind === 'averagePoolForward').length;
  };
  assert.equal(calls([3, 2]), 1);
  assert.equal(calls([4, 2]), 4);
  assert.equal(calls([4, 3]), 12);
});
