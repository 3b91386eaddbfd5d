import assert from 'node:assert/strict';
import test from 'node:test';
import { arrayDataset, ConfigError, cifar10, labelsOf, trainTestSplit } from '../../src/index.ts';

/** Sample i has the label i. */
const numbered = (size: number) =>
  arrayDataset({
    inputs: new Float32Array(size),
    inputShape: [1],
    targets: Int32Array.from({ length: size }, (_, i) => i),
    classes: Math.max(1, size),
  });

const labels = async (size: number, options: Parameters<typeof trainTestSplit>[1]) => {
  const { train, test: held } = trainTestSplit(numbered(size), options);
  return { train: [...(await labelsOf(train))], test: [...(await labelsOf(held))] };
};

test('each sample is in one of the parts, which are of the sizes asked for', async () => {
  for (const [testSize, size, held] of [
    [0.25, 40, 10],
    [0.1, 5, 1],
    [0, 7, 0],
    [3, 7, 3],
    [6, 7, 6],
    [0.5, 0, 0],
  ] as const) {
    for (const shuffle of [true, false]) {
      const { train, test: rest } = await labels(size, { testSize, seed: 4, shuffle });
      assert.equal(rest.length, held);
      assert.deepEqual(
        [...train, ...rest].sort((a, b) => a - b),
        [...Array(size).keys()],
      );
    }
  }
  assert.equal((await labels(40, {})).test.length, 10);
});

test('the seed decides which; without shuffling the last ones are set aside, in order', async () => {
  assert.deepEqual(await labels(50, { seed: 1 }), await labels(50, { seed: 1 }));
  assert.notDeepEqual(await labels(50, { seed: 1 }), await labels(50, { seed: 2 }));
  assert.deepEqual(await labels(5, { testSize: 2, shuffle: false }), { train: [0, 1, 2], test: [3, 4] });
});

test('of images in the files’ order it makes the parts that cifar10.load makes', async () => {
  const drawn = { data: 'synthetic', syntheticSizes: { train: 40, test: 10 } } as const;
  const whole = await cifar10.load({ ...drawn, validationSplit: 0, shuffle: false });
  const parts = trainTestSplit(whole.train, { testSize: 0.1, seed: 21 });
  const loaded = await cifar10.load({ ...drawn, validationSplit: 0.1, seed: 21 });
  assert.deepEqual(await labelsOf(parts.train), await labelsOf(loaded.train));
  assert.deepEqual(await labelsOf(parts.test), await labelsOf(loaded.validation));
});

test('a size that is none, or leaves nothing to train on, is refused', () => {
  for (const testSize of [-0.1, 1.5, 8, 9, Number.NaN, Number.POSITIVE_INFINITY, 0.99]) {
    assert.throws(
      () => trainTestSplit(numbered(8), { testSize }),
      (error) =>
        error instanceof ConfigError &&
        /^trainTestSplit: testSize: expected a fraction below 1, or a whole number of samples below 8, got/.test(
          error.message,
        ),
    );
  }
});
