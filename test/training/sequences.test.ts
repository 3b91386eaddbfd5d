import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import {
  arrayDataset,
  conv1d,
  dense,
  globalMaxPooling1d,
  load,
  type Model,
  maxPooling1d,
  sequential,
} from '../../src/index.ts';
import { uniforms } from '../helpers/arbitraries.ts';
import { allWeights } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const LENGTH = 40;

/** Waves of two frequencies at random phases, with noise: which is which. */
function waves(size: number, seed: number) {
  const next = uniforms(seed);
  const targets = Int32Array.from({ length: size }, () => Math.floor(2 * next()));
  const inputs = new Float32Array(size * LENGTH);
  targets.forEach((kind, sample) => {
    const phase = 7 * next();
    for (let step = 0; step < LENGTH; step++) {
      inputs[sample * LENGTH + step] = Math.sin(phase + (kind === 0 ? 0.4 : 0.7) * step) + next() - 0.5;
    }
  });
  return arrayDataset({ inputs, inputShape: [LENGTH, 1], targets, classes: 2 });
}

const model = (): Model =>
  sequential({ inputShape: [LENGTH, 1], seed: 5 }, [
    conv1d({ filters: 8, kernelSize: 7, padding: 'same', activation: 'relu' }),
    maxPooling1d(),
    conv1d({ filters: 8, kernelSize: 5, activation: 'relu' }),
    globalMaxPooling1d(),
    dense({ units: 2, activation: 'softmax' }),
  ]);

test('a network along sequences learns, to the same bits on 1 and 3 workers, and survives its file', async () => {
  const weights: Float32Array[] = [];
  for (const threads of [1, 3]) {
    await using trained = model();
    await trained.fit(waves(160, 1), { epochs: 12, batchSize: 16, threads });
    weights.push(allWeights(trained));
    if (threads === 1) continue;
    const held = await trained.evaluate(waves(100, 2), { threads: 1 });
    assert.ok(held.accuracy >= 0.95, `accuracy ${held.accuracy}`);
    const file = path.join(temporaryFolder(), 'waves.safetensors');
    await trained.save(file);
    await using again = await load(file);
    assertSameBits(allWeights(again), allWeights(trained));
    const outputs = async (each: Model) => (await each.predict(waves(5, 3), { threads: 1 })).data;
    assertSameBits(await outputs(again), await outputs(trained));
  }
  assertSameBits(weights[1]!, weights[0]!);
});
