/** `initialEpoch`: a run in two parts sees the orders and augmentations of a run in one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adam, conv2d, dense, dropout, flatten, sequential, syntheticImages } from '../../src/index.ts';
import { weightsSha256 } from '../../src/io/weights-hash.ts';

const make = () =>
  sequential({ inputShape: [32, 32, 3], seed: 5 }, [
    conv2d({ filters: 4, kernelSize: 3, strides: 4, activation: 'relu' }),
    flatten(),
    dropout({ rate: 0.25 }),
    dense({ units: 10, activation: 'softmax' }),
  ]);
const data = syntheticImages({ size: 24, seed: 1, split: 'train' });
const options = { optimizer: adam(), batchSize: 8, threads: 1, augmentation: { horizontalFlip: true } };

test('two fits that continue each other leave the weights of one', async () => {
  const [whole, parts] = [make(), make()];
  await whole.fit(data, { ...options, epochs: 3 });
  await parts.fit(data, { ...options, epochs: 1 });
  const { epochs } = await parts.fit(data, { ...options, epochs: 3, initialEpoch: 1 });
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [2, 3],
  );
  assert.equal(weightsSha256(parts), weightsSha256(whole));
  const again = await parts.fit(data, { ...options, epochs: 3, initialEpoch: 3 });
  assert.deepEqual(again, { epochs: [], end: 'finished' });
  await assert.rejects(parts.fit(data, { ...options, initialEpoch: -1 }), {
    name: 'ConfigError',
    message: /initialEpoch: expected a whole number from 0 on, got -1/,
  });
  await Promise.all([whole.close(), parts.close()]);
});
