import assert from 'node:assert/strict';
import test from 'node:test';
import { averagePooling2d, maxPooling2d } from '../../src/layers/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';

test('senseless options are refused when the layer is made, windows that do not fit by the model', () => {
  for (const make of [maxPooling2d, averagePooling2d]) {
    assertRefusedOptions(make, { poolSize: 0 }, 'poolSize');
    assertRefusedOptions(make, { poolSize: [2, 2, 2] }, 'poolSize');
    assertRefusedOptions(make, { strides: 0.5 }, 'strides');
    assertRefusedOptions(make, { padding: 'reflect' }, 'padding');
    assertRefusedShape(make({ poolSize: 5 }), [4, 9, 1]);
    assertRefusedShape(make({ poolSize: 2, padding: { top: 2, right: 0, bottom: 0, left: 0 } }), [4, 4, 1]);
  }
});

test('the window defaults to 2, strides to the window, padding to none', () => {
  for (const make of [maxPooling2d, averagePooling2d]) {
    assert.deepEqual(sequentialGraph([5, 7, 3], [make({})]).tensors[1], [2, 3, 3]);
    assert.deepEqual(sequentialGraph([5, 7, 3], [make({ poolSize: [3, 2] })]).tensors[1], [1, 3, 3]);
    const same = make({ poolSize: 3, strides: 2, padding: 'same' });
    assert.deepEqual(sequentialGraph([5, 7, 3], [same]).tensors[1], [3, 4, 3]);
  }
});
