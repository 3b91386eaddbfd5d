import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  conv2d,
  conv2dTranspose,
  dense,
  dropout,
  FileError,
  FormatError,
  flatten,
  readTorchState,
  sequential,
  type TorchTensor,
  weightsFromTorch,
} from '../../src/index.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const folder = temporaryFolder();

/** A tensor whose element says where it is: 1000 i + 100 j + 10 k + l. */
function counting(...shape: number[]): TorchTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = Float32Array.from({ length: size }, (_, i) => {
    let rest = i;
    return shape.toReversed().reduce((sum, extent, axis) => {
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      return sum + index * 10 ** axis;
    }, 0);
  });
  return { shape, data };
}

const named = (layer: string) => `net.${layer}`;

test('convolutions [K, C, kh, kw] become [kh, kw, C, K]', () => {
  const { graph } = sequential({ inputShape: [5, 5, 2] }, [
    conv2d({ name: 'conv', filters: 3, kernelSize: [4, 5] }),
  ]);
  const state = new Map([
    ['net.conv.weight', counting(3, 2, 4, 5)],
    ['net.conv.bias', counting(3)],
  ]);
  const { 'conv/weight': weight, 'conv/bias': bias } = weightsFromTorch(graph, state, named);
  assert.deepEqual([...bias!], [0, 1, 2]);
  // [kh = 3, kw = 2, c = 1, k = 2]
  assert.equal(weight![((3 * 5 + 2) * 2 + 1) * 3 + 2], 2132);
});

test('transposed convolutions [C, K, kh, kw] become [kh, kw, K, C]', () => {
  const { graph } = sequential({ inputShape: [5, 5, 2] }, [
    conv2dTranspose({ name: 'up', filters: 3, kernelSize: [4, 5], useBias: false }),
  ]);
  const { 'up/weight': weight } = weightsFromTorch(
    graph,
    new Map([['net.up.weight', counting(2, 3, 4, 5)]]),
    named,
  );
  // [kh = 3, kw = 4, k = 2, c = 1]
  assert.equal(weight![((3 * 5 + 4) * 3 + 2) * 2 + 1], 1234);
});

test('dense weights are transposed, and behind a flatten their rows put in the order of pixels', () => {
  const layers = [
    flatten(),
    dropout({ rate: 0.5 }),
    dense({ name: 'first', units: 2, useBias: false }),
    dense({ name: 'second', units: 3, useBias: false }),
  ];
  const { graph } = sequential({ inputShape: [2, 3, 4] }, layers);
  const state = new Map([
    ['net.first.weight', { shape: [2, 24], data: Float32Array.from({ length: 48 }, (_, i) => i) }],
    ['net.second.weight', counting(3, 2)],
  ]);
  const { 'first/weight': first, 'second/weight': second } = weightsFromTorch(graph, state, named);
  // Pixel (1, 2), channel 3: row (1*3 + 2)*4 + 3 here, column 3*6 + 1*3 + 2 of 24 there.
  assert.equal(first![23 * 2 + 1], 24 + 23);
  // Pixel (1, 0), channel 2: row (1*3 + 0)*4 + 2, column 2*6 + 1*3 + 0.
  assert.equal(first![14 * 2 + 0], 15);
  assert.deepEqual([...second!], [0, 10, 20, 1, 11, 21]);
});

test('what is missing, superfluous or of another shape is refused by name; counters of batches are not', () => {
  const { graph } = sequential({ inputShape: [4] }, [dense({ name: 'top', units: 3 })]);
  const whole = new Map([
    ['net.top.weight', counting(3, 4)],
    ['net.top.bias', counting(3)],
    ['net.norm.num_batches_tracked', counting(1)],
  ]);
  assert.deepEqual(Object.keys(weightsFromTorch(graph, whole, named)), ['top/weight', 'top/bias']);
  const cases: [Map<string, TorchTensor>, string][] = [
    [
      new Map([['net.top.weight', counting(3, 4)]]),
      'weightsFromTorch: tensor "net.top.bias": expected what top/bias shall be, got none',
    ],
    [
      new Map([...whole, ['net.other.bias', counting(3)]]),
      'weightsFromTorch: state: expected the model\'s parameters alone, got "net.other.bias"',
    ],
    [
      new Map([...whole, ['net.top.weight', counting(4, 3)]]),
      'weightsFromTorch: tensor "net.top.weight": expected [3, 4], got [4, 3]',
    ],
  ];
  for (const [state, message] of cases) {
    assert.throws(
      () => weightsFromTorch(graph, state, named),
      (error) => error instanceof FormatError && error.message === message,
    );
  }
});

/** A safetensors file with these tensors' bytes. */
function file(name: string, entries: Record<string, { dtype: string; shape: number[]; bytes: Uint8Array }>) {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [key, { dtype, shape, bytes }] of Object.entries(entries)) {
    header[key] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const place = path.join(folder, name);
  writeFileSync(place, Buffer.concat([length, text, ...Object.values(entries).map(({ bytes }) => bytes)]));
  return place;
}

const bytesOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

test('a state_dict is read from a safetensors file, without the counters of batches', async () => {
  const state = await readTorchState(
    file('state', {
      'bn.num_batches_tracked': { dtype: 'I64', shape: [], bytes: new Uint8Array(8) },
      'bn.weight': { dtype: 'F32', shape: [2, 1], bytes: bytesOf(1.5, -2) },
    }),
  );
  assert.deepEqual([...state.keys()], ['bn.weight']);
  assert.deepEqual(state.get('bn.weight'), { shape: [2, 1], data: Float32Array.of(1.5, -2) });
});

test('other numbers than f32, other files and none are refused', async () => {
  const half = file('half', { w: { dtype: 'F16', shape: [2], bytes: new Uint8Array(4) } });
  await assert.rejects(
    readTorchState(half),
    (error) =>
      error instanceof FormatError &&
      error.message ===
        `readTorchState ${JSON.stringify(half)}: tensor "w": expected F32, got F16 (save the state_dict of model.float())`,
  );
  const pickle = path.join(folder, 'model.pt');
  writeFileSync(pickle, 'PK\x03\x04 what torch.save writes, more or less');
  await assert.rejects(readTorchState(pickle), FormatError);
  await assert.rejects(readTorchState(path.join(folder, 'none')), FileError);
});
