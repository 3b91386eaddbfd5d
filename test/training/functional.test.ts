import assert from 'node:assert/strict';
import test from 'node:test';
import {
  add,
  concatenate,
  conv2d,
  dense,
  functional,
  globalAveragePooling2d,
  input,
  maxPooling2d,
  weightsSha256,
} from '../../src/index.ts';
import { CLASSES, IMAGE, smallDataset } from '../helpers/conformance-data.ts';

const data = smallDataset(24);

/** A stem, an inception-like module, a skip connection over a shared convolution, a head. */
function branched(seed: number) {
  const options = { padding: 'same', activation: 'relu' } as const;
  const image = input({ shape: IMAGE });
  const stem = conv2d({ filters: 6, kernelSize: 3, ...options })(image);
  const joined = concatenate()([
    conv2d({ filters: 3, kernelSize: 1, ...options })(stem),
    conv2d({ filters: 3, kernelSize: 3, ...options })(stem),
    maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' })(stem),
  ]);
  const shared = conv2d({ filters: 12, kernelSize: 3, padding: 'same' });
  const features = add()([joined, shared(shared(joined))]);
  const top = dense({ units: CLASSES, activation: 'softmax' });
  return functional({ inputs: image, outputs: top(globalAveragePooling2d()(features)), seed });
}

async function trained(options: { threads: number; engine: 'simd' | 'scalar' }) {
  const model = branched(5);
  try {
    const history = await model.fit(data, { epochs: 2, batchSize: 10, ...options });
    const { data: outputs } = await model.predict(data, options);
    return { history, outputs, hash: weightsSha256(model), evaluated: await model.evaluate(data, options) };
  } finally {
    await model.close();
  }
}

test('a branched model trains to the same bits on 1 and 3 workers and in plain TypeScript', async () => {
  const one = await trained({ threads: 1, engine: 'simd' });
  const three = await trained({ threads: 3, engine: 'simd' });
  const scalar = await trained({ threads: 2, engine: 'scalar' });
  for (const other of [three, scalar]) {
    assert.equal(other.hash, one.hash);
    assert.deepEqual(other.outputs, one.outputs);
    assert.deepEqual(other.evaluated, one.evaluated);
  }
  assert.ok(one.history.epochs[1]!.loss < one.history.epochs[0]!.loss, 'it learns');
});
