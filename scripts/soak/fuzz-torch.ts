/**
 * state_dicts of PyTorch (safetensors) under fire: bytes changed, headers changed by their structure. What is read has
 * the numbers that the file holds, in this project's layouts; all else is a FormatError.
 */
import assert from 'node:assert/strict';
import {
  batchNormalization,
  conv2d,
  dense,
  FormatError,
  flatten,
  readTorchState,
  sequential,
  type TorchTensor,
  weightsFromTorch,
} from '../../src/index.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard } from './fuzz/guard.ts';
import { changedJson } from './fuzz/json.ts';
import { diskOf, fileOf } from './fuzz/model-files.ts';
import { randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

const FILE = '/state/state.safetensors';
/** PyTorch's shapes of [5, 4, 2] -> 3 filters of 3 x 2 -> normalised -> flattened [3, 3, 3] -> 2. */
const SHAPES = {
  'conv.weight': [3, 2, 3, 2],
  'conv.bias': [3],
  'bn.weight': [3],
  'bn.bias': [3],
  'bn.running_mean': [3],
  'bn.running_var': [3],
  'fc.weight': [2, 27],
  'fc.bias': [2],
} as const;

const network = () =>
  sequential({ inputShape: [5, 4, 2] }, [
    conv2d({ filters: 3, kernelSize: [3, 2], name: 'conv' }),
    batchNormalization({ name: 'bn' }),
    flatten(),
    dense({ units: 2, name: 'fc' }),
  ]);

/** A whole file: its header as plain data, and its numbers, no two alike. */
function goodFile(): { readonly header: Record<string, unknown>; readonly data: Uint8Array } {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let bytes = 0;
  for (const [name, shape] of Object.entries(SHAPES)) {
    const length = 4 * shape.reduce((a: number, b) => a * b, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [bytes, bytes + length] };
    bytes += length;
  }
  header['bn.num_batches_tracked'] = { dtype: 'I64', shape: [], data_offsets: [bytes, bytes + 8] };
  const numbers = Float32Array.from({ length: bytes / 4 + 2 }, (_, i) => i + 0.5);
  return { header, data: new Uint8Array(numbers.buffer) };
}

/** Throws unless every tensor has the numbers of the file under its name. */
function checkState(state: ReadonlyMap<string, TorchTensor>, bytes: Uint8Array): void {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  for (const [name, { shape, data }] of state) {
    const entry = header[name];
    assert.deepEqual(shape, entry.shape);
    const [begin, end] = entry.data_offsets as [number, number];
    const stored = Buffer.from(bytes.subarray(8 + length + begin, 8 + length + end));
    assert.ok(Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(stored), name);
  }
}

/** Throws unless the weights are those of the state, transposed as the layouts say. */
function checkWeights(weights: Readonly<Record<string, Float32Array>>, state: Map<string, TorchTensor>) {
  const same = (ours: string, theirs: string, from: (i: number) => number = (i) => i) => {
    const [found, wanted] = [weights[ours]!, state.get(theirs)!.data];
    assert.equal(found.length, wanted.length);
    for (let i = 0; i < found.length; i++) assert.ok(Object.is(found[i], wanted[from(i)]), `${ours} ${i}`);
  };
  // Ours [kh, kw, c, k], 3 x 2 x 2 x 3; theirs [k, c, kh, kw].
  same('conv/weight', 'conv.weight', (i) => {
    const [k, c, x, y] = [i % 3, Math.floor(i / 3) % 2, Math.floor(i / 6) % 2, Math.floor(i / 12)];
    return ((k * 2 + c) * 3 + y) * 2 + x;
  });
  // Ours [(h, w, c), units]; theirs [units, (c, h, w)].
  same('fc/weight', 'fc.weight', (i) => {
    const [unit, row] = [i % 2, Math.floor(i / 2)];
    return unit * 27 + (row % 3) * 9 + Math.floor(row / 3);
  });
  same('conv/bias', 'conv.bias');
  same('fc/bias', 'fc.bias');
  same('bn/gamma', 'bn.weight');
  same('bn/beta', 'bn.bias');
  same('bn/movingMean', 'bn.running_mean');
  same('bn/movingVariance', 'bn.running_var');
}

export const fuzzTorch: Soak = {
  name: 'fuzz-torch',
  claim: 'a state_dict of PyTorch is read with its numbers or refused by FormatError, within 1 s and 256 MB',
  unit: 'inputs',
  count: 100_000,
  async start({ seed }) {
    const { graph } = network();
    const { header, data } = goodFile();
    const good = fileOf(JSON.stringify(header), data);
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        let bytes = random.chance(0.5) ? fileOf(changedJson(random, header), data) : good;
        if (bytes === good || random.chance(0.2))
          bytes = changeBytes(random, bytes, good.length - data.length);
        let state: Map<string, TorchTensor> | undefined;
        return guard(
          async () => {
            state = await readTorchState(FILE, { files: diskOf({ [FILE]: bytes }) });
            return weightsFromTorch(graph, state, (layer) => layer);
          },
          (reading) => {
            if (state !== undefined) checkState(state, bytes);
            if ('value' in reading) checkWeights(reading.value, state!);
            else assert.ok(reading.error instanceof FormatError, reading.error.name);
          },
        );
      },
    };
  },
};
