import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adam,
  ConfigError,
  conv2d,
  dense,
  flatten,
  type Optimizer,
  sequential,
  sgd,
} from '../../src/index.ts';
import { CLASSES, IMAGE, smallImages, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';

const engines = [
  testEngine({ threads: 1 }),
  testEngine({ threads: 3 }),
  testEngine({ threads: 2, engine: 'scalar' }),
];
const batch = smallImages(10, 3);
const f = Math.fround;

/** Its second dense weight has more than two ranges of 4,096 elements. */
const makeModel = () =>
  sequential({ inputShape: IMAGE, seed: 5 }, [
    conv2d({ filters: 4, kernelSize: 3 }),
    flatten(),
    dense({ units: 70, activation: 'relu' }),
    dense({ units: CLASSES, activation: 'softmax' }),
  ]);

/** Weights before and after one step, and the gradients that it was made of. */
async function step(optimizer: Optimizer, engine = engines[0]!) {
  await using model = makeModel();
  const before = model.getWeights();
  const { gradients } = await model.gradientsOnBatch(batch, { engine });
  await model.trainOnBatch(batch, { optimizer, engine });
  return { before, gradients, after: model.getWeights() };
}

const normOf = (arrays: readonly Float32Array[]) =>
  Math.sqrt(arrays.reduce((sum, data) => sum + data.reduce((part, x) => part + x * x, 0), 0));

/** Steps of plain descent with a rate of 1: w - g factor(name), with the factor as close to the f64 norm as f32 is. */
function assertScaled(
  { before, gradients, after }: Awaited<ReturnType<typeof step>>,
  factorOf: (name: string) => number,
): void {
  for (const [name, { data }] of Object.entries(gradients)) {
    // The sums behind the factor may differ in their last bits: one of the neighbours in f32 must fit all elements.
    const factor = f(factorOf(name));
    const neighbours = [factor, f(factor * (1 + 2 ** -23)), f(factor * (1 - 2 ** -23))];
    const fits = neighbours.some((each) =>
      data.every((g, i) => Object.is(after[name]!.data[i], f(before[name]!.data[i]! - f(g * each)))),
    );
    assert.ok(fits, `${name} moved by another factor than ${factor}`);
  }
}

test('a global norm above the limit scales all gradients by one factor', async () => {
  const result = await step(sgd({ learningRate: 1, globalClipNorm: 0.5 }));
  const norm = normOf(Object.values(result.gradients).map(({ data }) => data));
  assert.ok(norm > 0.5, `the gradients are long enough for this test: ${norm}`);
  assertScaled(result, () => 0.5 / norm);
});

test('clipNorm scales each parameter’s gradient by itself, and those within the limit not at all', async () => {
  const result = await step(sgd({ learningRate: 1, clipNorm: 1 }));
  const norms = Object.fromEntries(
    Object.entries(result.gradients).map(([name, { data }]) => [name, normOf([data])]),
  );
  const above = Object.values(norms).filter((norm) => norm > 1).length;
  assert.ok(above > 0 && above < Object.keys(norms).length, JSON.stringify(norms));
  assertScaled(result, (name) => Math.min(1, 1 / norms[name]!));
});

test('clipValue holds each element between the limits', async () => {
  const limit = 0.01;
  const { before, gradients, after } = await step(sgd({ learningRate: 1, clipValue: limit }));
  let clipped = 0;
  for (const [name, { data }] of Object.entries(gradients)) {
    const held = data.map((g) => Math.max(-limit, Math.min(limit, g)));
    clipped += data.filter((g) => Math.abs(g) > limit).length;
    assertSameBits(
      after[name]!.data,
      before[name]!.data.map((w, i) => w - held[i]!),
      name,
    );
  }
  assert.ok(clipped > 0);
});

test('a limit that nothing reaches changes no bit', async () => {
  const plain = (await step(adam())).after;
  for (const options of [{ globalClipNorm: 1e6 }, { clipNorm: 1e6 }, { clipValue: 1e6 }]) {
    const { after } = await step(adam(options));
    for (const [name, { data }] of Object.entries(plain)) assertSameBits(after[name]!.data, data, name);
  }
});

test('clipped steps have the same bits for any number of workers and both engines', async () => {
  for (const options of [{ globalClipNorm: 0.5 }, { clipNorm: 1 }, { clipValue: 0.01 }]) {
    const all = [];
    for (const engine of engines) all.push((await step(adam(options), engine)).after);
    for (const after of all.slice(1)) {
      for (const [name, { data }] of Object.entries(all[0]!)) assertSameBits(after[name]!.data, data, name);
    }
  }
});

test('limits without sense, and two kinds at once, are refused', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof ConfigError && message.test(error.message));
  refused(() => sgd({ clipNorm: 0 }), /^sgd: clipNorm: expected a positive, finite limit, got 0/);
  refused(() => adam({ globalClipNorm: Infinity }), /globalClipNorm: expected a positive, finite limit/);
  refused(() => adam({ clipValue: Number.NaN }), /clipValue: expected a positive, finite limit, got NaN/);
  refused(
    () => adam({ clipValue: 1, clipNorm: 1 }),
    /clipNorm and clipValue: expected at most one kind of clipping, got 2/,
  );
});
