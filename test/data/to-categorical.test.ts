import assert from 'node:assert/strict';
import test from 'node:test';
import { arrayDataset, ConfigError, DataError, dense, sequential, toCategorical } from '../../src/index.ts';
import { testEngine } from '../helpers/conformance-data.ts';

test('labels become rows with a 1 at the place of the class', () => {
  const { shape, data } = toCategorical([2, 0, 1, 2]);
  assert.deepEqual(shape, [4, 3]);
  assert.deepEqual([...data], [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
  assert.deepEqual([...toCategorical(Uint8Array.of(3), 10).data], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(toCategorical([]), { shape: [0, 0], data: new Float32Array() });
  assert.deepEqual(toCategorical([], 4).shape, [0, 4]);
});

test('what is no class index is refused, and so is a number of classes that is none', () => {
  for (const labels of [
    [0, -1],
    [0, 1.5],
    [0, Number.NaN],
    [0, 4],
  ]) {
    assert.throws(
      () => toCategorical(labels, 4),
      (error) =>
        error instanceof DataError && /^toCategorical: label of sample 1: expected/.test(error.message),
    );
  }
  assert.throws(() => toCategorical([-1]), DataError);
  for (const classes of [0, -1, 1.5, Number.NaN]) {
    assert.throws(
      () => toCategorical([], classes),
      (error) =>
        error instanceof ConfigError && /classes: expected a positive whole number/.test(error.message),
    );
  }
});

test('a model learns the same from rows as from indices', async () => {
  const engine = testEngine({ threads: 1 });
  const inputs = Float32Array.from({ length: 12 * 5 }, (_, i) => ((i * 7) % 11) / 11);
  const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const losses: number[] = [];
  for (const targets of [labels, toCategorical(labels, 3).data]) {
    await using model = sequential({ inputShape: [5], seed: 1 }, [
      dense({ units: 3, activation: 'softmax' }),
    ]);
    const { epochs } = await model.fit(arrayDataset({ inputs, inputShape: [5], targets }), {
      engine,
      epochs: 2,
    });
    losses.push(epochs[1]!.loss);
  }
  assert.ok(Math.abs(losses[0]! - losses[1]!) < 1e-6, String(losses));
});
