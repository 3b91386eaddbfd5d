/**
 * Model files under fire: bytes changed beneath the checksum, and headers and architectures changed by their structure
 * in files without one. What is read has the weights that the file holds; all else is a FormatError.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  add,
  batchNormalization,
  dense,
  FormatError,
  flatten,
  functional,
  input,
  load,
  type Model,
} from '../../src/index.ts';
import { smallModel } from '../../test/helpers/conformance-data.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard } from './fuzz/guard.ts';
import { changedJson } from './fuzz/json.ts';
import { diskOf, fileOf, headerText, type ModelParts, partsOf } from './fuzz/model-files.ts';
import { type Random, randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

interface Good {
  readonly file: Uint8Array;
  readonly parts: ModelParts;
}

/** A chain, and a network with a branch, a shared layer, statistics and something frozen. */
async function goodFiles(folder: string): Promise<Good[]> {
  const image = input({ shape: [4] });
  const shared = dense({ units: 4, activation: 'gelu' });
  const normal = batchNormalization({ trainable: false })(shared(image));
  const branching = functional({
    inputs: image,
    outputs: { a: dense({ units: 2 })(flatten()(add()([normal, shared(normal)]))), b: normal },
    seed: 3,
  });
  const good: Good[] = [];
  for (const model of [smallModel(), branching]) {
    const place = path.join(folder, 'good.safetensors');
    await model.save(place);
    await model.close();
    const file = new Uint8Array(readFileSync(place));
    good.push({ file, parts: partsOf(file) });
  }
  return good;
}

/** A changed file, and whether a checksum vouches for what it was before. */
function changed(random: Random, { file, parts }: Good): { bytes: Uint8Array; guarded: boolean } {
  if (random.chance(0.4)) {
    let bytes = changeBytes(random, file, file.length - parts.data.length);
    if (random.chance(0.2)) bytes = changeBytes(random, bytes);
    return { bytes, guarded: true };
  }
  if (random.chance(0.5)) {
    const architecture = changedJson(random, JSON.parse(parts.metadata.architecture!));
    return { bytes: fileOf(headerText(parts, { architecture }), parts.data), guarded: false };
  }
  const header = changedJson(random, { __metadata__: parts.metadata, ...parts.tensors });
  return { bytes: fileOf(header, parts.data), guarded: false };
}

/** Throws unless the model's weights are the file's bytes under their names. */
function checkWeights(model: Model, bytes: Uint8Array): void {
  const { tensors, data } = partsOf(bytes);
  const weights = Object.entries(model.getWeights());
  assert.equal(Object.keys(tensors).length, weights.length);
  for (const [name, { shape, data: values }] of weights) {
    const entry = tensors[name] as { shape: number[]; data_offsets: [number, number] };
    assert.deepEqual(entry.shape, shape);
    const stored = data.subarray(...entry.data_offsets);
    assert.ok(Buffer.from(values.buffer, values.byteOffset, values.byteLength).equals(stored), name);
  }
}

export const fuzzModel: Soak = {
  name: 'fuzz-model',
  claim: 'model files: read with the weights that they hold or refused by FormatError, within 1 s and 256 MB',
  unit: 'inputs',
  count: 100_000,
  async start({ seed, folder }) {
    const good = await goodFiles(folder);
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        const chosen = random.pick(good);
        const { bytes, guarded } = changed(random, chosen);
        const read = () => load('/m.safetensors', { files: diskOf({ '/m.safetensors': bytes }) });
        return guard(read, async (reading) => {
          if ('error' in reading) {
            assert.ok(reading.error instanceof FormatError, reading.error.message);
            return;
          }
          const same = Buffer.from(bytes).equals(chosen.file);
          assert.ok(!guarded || same, 'a change beneath the checksum was not noticed');
          checkWeights(reading.value, bytes);
          await reading.value.close();
        });
      },
    };
  },
};
