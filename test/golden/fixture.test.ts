/** The fixtures' reader: the generator's twin draws what Python drew, and the stored tensors are what the index says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DrawnTensor,
  drawValues,
  drawWord,
  type FixtureTensor,
  loadFixture,
  sampleLike,
} from '../helpers/fixture.ts';

const { json, tensor } = loadFixture('notebook');
const BATCH = 4 * 32 * 32 * 3;

test('the generator draws the parameters and images that Python drew', () => {
  const drawn: Record<string, DrawnTensor> = {
    ...json.parameters,
    images: { ...json.images, shape: [40, 32, 32, 3] },
  };
  assert.deepEqual(Object.keys(json.generator).sort(), Object.keys(drawn).sort());
  let parameters = 0;
  for (const [name, { words, sum }] of Object.entries(json.generator)) {
    const values = drawValues(json.seed, drawn[name]!);
    const { stream } = drawn[name]!;
    const received = [0, 1, values.length - 1].map((index) => drawWord(json.seed, stream, index));
    assert.deepEqual(received, words, name);
    // Multiples of one power of two, so that the sum is exact in any order.
    assert.equal(total(values), sum, name);
    if (name !== 'images') parameters += values.length;
  }
  assert.equal(parameters, 558_186);
});

test('the images of a later step continue the stream', () => {
  const all = drawValues(json.seed, { ...json.images, shape: [40, 32, 32, 3] });
  assert.deepEqual(drawValues(json.seed, json.images, 9 * BATCH), all.slice(9 * BATCH));
});

test('the stored change of each parameter is that of its stored values', () => {
  for (const [name, parameter] of Object.entries(json.parameters)) {
    const start = sampleLike(json, name, drawValues(json.seed, parameter));
    for (const run of Object.keys(json.runs)) {
      const moved = distance(start, tensor(`f64/${run}/${name}`).data);
      const whole = json.summaries[`f64/${run}/${name}`]!.norm;
      if (json.samples[name]!.stride === 1)
        assert.ok(Math.abs(moved - whole) <= 1e-12 * whole, `${run} ${name}`);
      else assert.ok(moved > 0 && moved < whole, `${run} ${name}`);
    }
  }
});

test("PyTorch's own f32 is near its f64, but not equal to it", () => {
  for (const name of Object.keys(json.summaries).filter((key) => key.startsWith('f64/'))) {
    const truth = tensor(name).data;
    const error = distance(truth, tensor(name.replace('f64', 'f32')).data) / norm(truth);
    assert.ok(error > 0 && error < 1e-5, `${name}: relative error ${error}`);
  }
});

test('stored summaries fit stored tensors where the whole gradient is stored', () => {
  for (const [name, { size, stride }] of Object.entries(json.samples)) {
    if (stride > 1) continue;
    const { shape, data } = tensor(`f64/gradient/${name}`);
    assert.deepEqual(shape, [size]);
    const { sum, norm: length } = json.summaries[`f64/gradient/${name}`]!;
    assert.ok(Math.abs(total(data) - sum) <= 1e-12 * length * size, `${name}: sum`);
    assert.ok(Math.abs(norm(data) - length) <= 1e-12 * length, `${name}: norm`);
  }
});

test('every tensor of every fixture is finite, every layer has its inputs and results', () => {
  const layers = loadFixture('layers');
  const normalizations = loadFixture('normalizations');
  const optimizers = loadFixture('optimizers');
  const finite = ([name, { data }]: [string, FixtureTensor]) => assert.ok(data.every(Number.isFinite), name);
  for (const fixture of [{ tensors: loadFixture('notebook').tensors }, layers, normalizations, optimizers]) {
    Object.entries(fixture.tensors).forEach(finite);
  }
  for (const { json: own, tensor: find } of [layers, normalizations]) {
    for (const { name } of own.cases) {
      const { shape } = find(`${name}/input`);
      assert.deepEqual(find(`${name}/gradInput`).shape, shape, name);
      find(`${name}/output`);
    }
  }
  for (const name of Object.keys(optimizers.json.cases)) {
    assert.deepEqual(optimizers.tensor(`${name}/weight`).shape, [20, 16]);
  }
  assert.throws(() => layers.tensor('nothing'), /has no tensor "nothing"/);
});

function total(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0);
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return norm(Array.from(a, (value, i) => value - b[i]!));
}
