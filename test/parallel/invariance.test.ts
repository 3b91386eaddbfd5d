/** The bits of training: whoever does the work, in whatever order, with whichever instructions. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { arrayDataset } from '../../src/data/array-dataset.ts';
import { notebookAugmentation } from '../../src/data/augmentation.ts';
import { weightsSha256 } from '../../src/io/weights-hash.ts';
import { createEngine, type Engine, type EngineOptions } from '../../src/parallel/engine.ts';
import { sequential } from '../../src/training/models.ts';
import { cifarNotebook } from '../../src/zoo/cifar-notebook.ts';
import { faultyEngine } from '../helpers/faults.ts';
import { smallData, smallModel } from '../helpers/small-model.ts';
import { randomFrom } from '../helpers/twin.ts';

/** Trains the small model; everything that comes out of it. The last batch of an epoch has 6 samples. */
async function train(engine: Engine) {
  const model = smallModel();
  const { epochs } = await model.fit(smallData(22), {
    batchSize: 8,
    epochs: 2,
    validation: smallData(9),
    engine,
  });
  const prediction = await model.predict(smallData(5), { engine });
  const result = {
    weights: weightsSha256(model),
    losses: epochs.map(({ loss, accuracy, valLoss, valAccuracy }) => [loss, accuracy, valLoss, valAccuracy]),
    prediction,
  };
  await model.close();
  return result;
}

describe('adversarial delays between units change no bit', () => {
  let expected: Awaited<ReturnType<typeof train>>;
  before(async () => {
    const alone = createEngine({ threads: 1, engine: 'scalar' });
    expected = await train(alone);
    await alone.close();
  });

  for (const threads of [1, 2, 3, 4, 8]) {
    test(`with ${threads} of 256-bit and of scalar code`, async () => {
      for (const engine of ['simd', 'scalar'] as const) {
        const slow = faultyEngine({ threads, engine }, { pauseSeed: 100 + threads });
        // A schedule each; those of the committed recipe (test/scripts/bits) are twenty more.
        assert.deepEqual(await train(slow), expected);
        await slow.close();
      }
    });
  }
});

test('training steps of the notebook give the same bits as scalar, 128-bit and 256-bit code', async () => {
  const random = randomFrom(8);
  const data = arrayDataset({
    inputs: Uint8Array.from({ length: 5 * 3072 }, () => 256 * random()),
    inputShape: [32, 32, 3],
    targets: Int32Array.of(3, 1, 9, 0, 5),
    classes: 10,
    normalization: { kind: 'standardize', mean: [125, 123, 114], std: [63, 62, 67] },
  });
  const hashes = [];
  for (const options of [{ engine: 'scalar' }, { wide: false }, {}] satisfies EngineOptions[]) {
    const engine = createEngine({ threads: 2, ...options });
    const model = sequential({ inputShape: [32, 32, 3], seed: 21 }, cifarNotebook());
    await model.fit(data, { batchSize: 3, augmentation: notebookAugmentation, engine });
    hashes.push(weightsSha256(model));
    await model.close();
    await engine.close();
  }
  assert.equal(new Set(hashes).size, 1, hashes.join(' '));
});
