/** Networks that nobody plans, on fewer samples than workers: equal bits on five workers and in plain TypeScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  arrayDataset,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  dense,
  flatten,
  functional,
  input,
  type Model,
  multiply,
  type SymbolicTensor,
  sliceChannels,
  upSampling2d,
  weightsSha256,
} from '../../src/index.ts';
import { uniforms } from '../helpers/arbitraries.ts';
import { testEngine } from '../helpers/conformance-data.ts';

const engines = [testEngine({ threads: 5 }), testEngine({ threads: 1, engine: 'scalar' })];
const conv = (filters: number) => conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' });

/** 13 channels to 13, by two layers that are each called twice. */
function shared(): Model {
  const from = input({ shape: [3, 2, 13] });
  const [filter, norm] = [conv(13), batchNormalization()];
  return functional({ inputs: from, outputs: norm(filter(norm(filter(from)))), seed: 2 });
}

/** A layer, called on its own output again and again. */
function repeated(from: SymbolicTensor, times: number): SymbolicTensor {
  const filter = conv(from.shape.at(-1)!);
  let result = from;
  for (let i = 0; i < times; i++) result = filter(result);
  return result;
}

const BODIES: Readonly<Record<string, readonly [number[], (from: SymbolicTensor) => SymbolicTensor]>> = {
  'a model with shared layers, used twice': [
    [3, 2, 13],
    (from) => {
      const model = shared();
      return model.apply(model.apply(from, { name: 'same' }), { name: 'same' });
    },
  ],
  'one model as two, side by side': [
    [3, 2, 13],
    (from) => {
      const model = shared();
      return add()([model.apply(from, { name: 'one' }), model.apply(from, { name: 'other' })]);
    },
  ],
  'a layer on its own output, twelve times': [[3, 3, 5], (from) => repeated(from, 12)],
  'one pixel of one channel, normalised': [[1, 1, 1], (from) => batchNormalization()(conv(13)(from))],
  'one channel after thirteen': [
    [5, 3, 1],
    (from) => averagePooling2d({ poolSize: [2, 3] })(upSampling2d()(conv(1)(conv(13)(from)))),
  ],
  'one tensor several times': [
    [3, 3, 13],
    (from) => {
      const twice = conv(13)(from);
      return concatenate()([twice, from, twice, add()([twice, twice]), multiply()([twice, twice])]);
    },
  ],
  'slices in another order': [
    [2, 3, 13],
    (from) => {
      const [first, rest] = [sliceChannels({ size: 5 })(from), sliceChannels({ start: 5 })(from)];
      return batchNormalization()(concatenate()([rest, conv(1)(first), first]));
    },
  ],
};

for (const [name, [shape, body]] of Object.entries(BODIES)) {
  test(name, async () => {
    for (const count of [1, 3]) {
      const data = arrayDataset({
        inputs: Float32Array.from({ length: count * shape.reduce((a, b) => a * b) }, uniforms(count)),
        inputShape: shape,
        targets: Int32Array.from({ length: count }, (_, i) => i % 2),
        classes: 2,
      });
      const outcomes = new Set<string>();
      for (const engine of engines) {
        const from = input({ shape });
        const outputs = dense({ units: 2, activation: 'softmax' })(flatten()(body(from)));
        const model = functional({ inputs: from, outputs, seed: 7 });
        const { epochs } = await model.fit(data, { engine, epochs: 2, batchSize: 2, validation: data });
        const all = await model.predict(data, { engine });
        assert.ok(all.data.every(Number.isFinite));
        assert.deepEqual(await model.predict(data, { engine, batchSize: 1 }), all);
        const figures = epochs.map(({ loss, valLoss }) => [loss, valLoss]);
        outcomes.add(JSON.stringify([weightsSha256(model), figures, [...all.data]]));
        await model.close();
      }
      assert.equal(outcomes.size, 1, `${count} samples`);
    }
  });
}
