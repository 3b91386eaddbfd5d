import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrayDataset, subset } from '../../src/data/array-dataset.ts';
import { type BatchBuffer, checkDataset, createBatchBuffer, type Dataset } from '../../src/data/dataset.ts';
import { ConfigError, DataError, ShapeError } from '../../src/errors.ts';

/** Ten images [1, 2, 3] with bytes 6*i .. 6*i+5 and labels i mod 3. */
function tenImages(): Dataset {
  return arrayDataset({
    inputs: Uint8Array.from({ length: 60 }, (_, i) => i),
    inputShape: [1, 2, 3],
    targets: Array.from({ length: 10 }, (_, i) => i % 3),
    classNames: ['a', 'b', 'c'],
    normalization: { kind: 'scale' },
  });
}

async function read(dataset: Dataset, indices: number[]): Promise<BatchBuffer> {
  const into = createBatchBuffer(dataset, indices.length);
  await dataset.read(Uint32Array.from(indices), into);
  return into;
}

function refuses(action: () => unknown, kind: typeof DataError, message: RegExp): void {
  assert.throws(action, (error) => error instanceof kind && message.test(error.message));
}

test('read copies the samples asked for, in the order asked for', async () => {
  const dataset = tenImages();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 20 }), async (indices) => {
      const { inputs, targets } = await read(dataset, indices);
      assert.deepEqual(
        [...inputs],
        indices.flatMap((index) => [0, 1, 2, 3, 4, 5].map((i) => 6 * index + i)),
      );
      assert.deepEqual(
        [...targets],
        indices.map((index) => index % 3),
      );
    }),
    { numRuns: 100, seed: 21 },
  );
});

test('a subset of a subset reads through to the right samples', async () => {
  const dataset = tenImages();
  const part = subset(subset(dataset, [9, 7, 5, 3, 1]), [4, 0, 0]);
  assert.equal(part.size, 3);
  const { inputs, targets } = await read(part, [2, 0]);
  assert.deepEqual([...inputs], [54, 55, 56, 57, 58, 59, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual([...targets], [0, 1]);
  assert.deepEqual(part.classNames, ['a', 'b', 'c']);
  assert.deepEqual(part.normalization, { kind: 'scale' });
});

test('a count takes the first samples, or all where there are fewer', async () => {
  const dataset = tenImages();
  assert.deepEqual([...(await read(subset(dataset, 2), [1])).inputs], [6, 7, 8, 9, 10, 11]);
  assert.equal(subset(dataset, 99).size, 10);
  assert.equal(subset(dataset, 0).size, 0);
});

test('floats and dense targets keep their types and shapes', async () => {
  const dataset = arrayDataset({
    inputs: new Float32Array([0.5, -1, 2, 3]),
    inputShape: [1, 2, 1],
    targets: new Float32Array([1, 2, 3, 4, 5, 6]),
  });
  assert.equal(dataset.inputType, 'float32');
  assert.deepEqual(dataset.targets, { kind: 'dense', shape: [3] });
  const { inputs, targets } = await read(dataset, [1, 0]);
  assert.deepEqual(inputs, new Float32Array([2, 3, 0.5, -1]));
  assert.deepEqual(targets, new Float32Array([4, 5, 6, 1, 2, 3]));
});

test('arrays and buffers in shared memory work', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
  const dataset = arrayDataset({ inputs: shared, inputShape: [1, 1, 2], targets: [0, 1] });
  const into = { inputs: new Uint8Array(new SharedArrayBuffer(2)), targets: new Int32Array(1) };
  await dataset.read(new Uint32Array([1]), into);
  assert.deepEqual([...into.inputs, ...into.targets], [7, 7, 1]);
  assert.deepEqual(dataset.targets, { kind: 'index', classes: 2 });
});

test('an index outside the set is refused, in a subset by its own numbering', () => {
  const dataset = tenImages();
  const into = createBatchBuffer(dataset, 2);
  refuses(
    () => dataset.read(new Uint32Array([3, 10]), into),
    DataError,
    /^arrayDataset\.read: indices\[1\]: expected a sample index below 10, got 10$/,
  );
  const half = subset(dataset, 5);
  refuses(
    () => half.read(new Uint32Array([0, 5]), into),
    DataError,
    /^subset\.read: indices\[1\]: .* below 5, got 5$/,
  );
  for (const wrong of [[10], [-1], [1.5], [2 ** 32]]) {
    refuses(() => subset(dataset, wrong), DataError, new RegExp(`indices\\[0\\].*got ${wrong[0]}`));
  }
  refuses(() => subset(dataset, -1), ConfigError, /count: expected a whole number/);
});

test('buffers of another type or length are refused', () => {
  const dataset = tenImages();
  const indices = new Uint32Array(2);
  const targets = new Int32Array(2);
  const cases: [BatchBuffer, RegExp][] = [
    [
      { inputs: new Uint8Array(11), targets },
      /into\.inputs: expected Uint8Array \[12\], got Uint8Array \[11\]/,
    ],
    [{ inputs: new Float32Array(12), targets }, /got Float32Array \[12\]/],
    [
      { inputs: new Uint8Array(12), targets: new Int32Array(3) },
      /into\.targets: .* \[2\], got Int32Array \[3\]/,
    ],
    [{ inputs: new Uint8Array(12), targets: new Float32Array(2) }, /into\.targets: expected Int32Array/],
  ];
  for (const [into, message] of cases) refuses(() => dataset.read(indices, into), ShapeError, message);
});

test('lengths that do not fit and labels outside the classes are refused', () => {
  const inputs = new Uint8Array(6);
  const inputShape = [1, 1, 3];
  const make = (options: object) => () => arrayDataset({ inputs, inputShape, targets: [0, 1], ...options });
  refuses(
    make({ inputs: new Uint8Array(7) }),
    ShapeError,
    /inputs: expected a multiple of 3 elements.*got 7/,
  );
  refuses(make({ targets: [0] }), ShapeError, /targets: expected 2 elements, as there are images, got 1/);
  refuses(make({ targets: new Float32Array(5), targetShape: [2] }), ShapeError, /expected 4 elements/);
  refuses(
    make({ inputShape: [3, 1, 1, 1] }),
    ShapeError,
    /inputShape: expected \[H, W, C\], \[L, C\] or \[F\], got \[3, 1, 1, 1\]/,
  );
  refuses(make({ classes: 1 }), DataError, /label of sample 1: expected a class index below 1, got 1/);
  for (const label of [-1, 0.5, Number.NaN]) {
    refuses(make({ targets: [label, 0], classes: 3 }), DataError, /label of sample 0/);
  }
  refuses(
    make({ classNames: ['a', 'b'], classes: 3 }),
    ConfigError,
    /classNames: expected a name for each of 3/,
  );
  const short = { kind: 'standardize', mean: [0], std: [1] };
  refuses(make({ normalization: short }), ShapeError, /mean and std with a number for each of 3 channels/);
  const flat = { kind: 'standardize', mean: [0, 0, 0], std: [1, 0, 1] };
  refuses(make({ normalization: flat }), ConfigError, /positive, finite standard deviations/);
});

test("a user's own data set is checked by its description", () => {
  const own: Dataset = {
    size: 3,
    inputShape: [4, 4, 1],
    inputType: 'float32',
    targets: { kind: 'index', classes: 2 },
    async read() {},
  };
  checkDataset('fit', own);
  refuses(() => checkDataset('fit', { ...own, size: 1.5 }), ConfigError, /^fit: size: .*got 1\.5$/);
  refuses(() => checkDataset('fit', { ...own, inputShape: [4, 4, 1, 1] }), ShapeError, /inputShape/);
  refuses(
    () => checkDataset('fit', { ...own, inputType: 'int8' as 'uint8' }),
    ConfigError,
    /'uint8' or 'float32'/,
  );
  refuses(
    () => checkDataset('fit', { ...own, targets: { kind: 'index', classes: 0 } }),
    ConfigError,
    /positive number of classes/,
  );
  refuses(
    () => checkDataset('fit', { ...own, normalization: { kind: 'zscore' as 'none' } }),
    ConfigError,
    /normalization\.kind.*got zscore/,
  );
});
