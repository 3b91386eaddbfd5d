import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { heapOf, type KernelFunction } from '../../src/kernels/kernel.ts';
import { type ReduceShardsSpec, reduceShardsFamily } from '../../src/kernels/reduce-shards.ts';
import { assembleModule } from '../../src/kernels/simd/assembler/index.ts';
import { reduceShardsTwin } from '../../src/kernels/simd/reduce-shards.ts';
import { BASELINE_TARGET } from '../../src/kernels/simd/twin.ts';
import { check, randomValues, specialValues } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { assertTwin } from '../helpers/twin.ts';

const cases = fc
  .record({
    shards: fc.integer({ min: 1, max: 16 }),
    shardSize: fc.integer({ min: 1, max: 5 }),
    length: fc.nat(40),
    slack: fc.nat(3),
    samples: fc.nat(),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ shards, shardSize, length, slack, samples, seed }) => {
    const shardStride = Math.max(1, length + slack);
    const spec: ReduceShardsSpec = { kind: 'reduceShards', shards, shardSize, shardStride };
    return { spec, length, count: samples % (shards * shardSize + 1), seed };
  });

function activeShards({ shardSize }: ReduceShardsSpec, count: number): number {
  return Math.floor((count + shardSize - 1) / shardSize);
}

/** The tree as a recursion: the first 2^k shards against the rest, 2^k as large as possible. */
function treeSum(values: readonly number[]): number {
  if (values.length < 2) return values[0] ?? 0;
  let half = 1;
  while (2 * half < values.length) half *= 2;
  return Math.fround(treeSum(values.slice(0, half)) + treeSum(values.slice(half)));
}

function reduce(spec: ReduceShardsSpec, gradients: Float32Array, length: number, count: number) {
  const options = { count, literals: { length } };
  return runKernel(reduceShardsFamily, spec, { gradients }, options).output!.slice(0, length);
}

test('reduce shards sums the active shards in its tree and reads no other', () => {
  check(cases, 200, ({ spec, length, count, seed }) => {
    const gradients = specialValues(seed, spec.shards * spec.shardStride);
    const active = activeShards(spec, count);
    gradients.fill(Number.NaN, active * spec.shardStride);
    const expected = Array.from({ length }, (_, at) =>
      treeSum(Array.from({ length: active }, (_, shard) => gradients[shard * spec.shardStride + at]!)),
    );
    assertSameBits(reduce(spec, gradients, length, count), expected);
  });
});

test('reduce shards is within the bound of an f64 sum', () => {
  check(cases, 100, ({ spec, length, count, seed }) => {
    const gradients = randomValues(seed, spec.shards * spec.shardStride);
    const active = activeShards(spec, count);
    const sum = (of: (value: number) => number) =>
      Float64Array.from({ length }, (_, at) => {
        let total = 0;
        for (let shard = 0; shard < active; shard++) total += of(gradients[shard * spec.shardStride + at]!);
        return total;
      });
    // A tree over at most 16 terms has 4 levels of roundings; no product is rounded.
    const levels = Math.ceil(Math.log2(Math.max(1, active)));
    assertWithin(reduce(spec, gradients, length, count), sum(Number), roundoffBounds(levels, sum(Math.abs)));
  });
});

test('the output may be the first shard itself, in the scalar kernel and in the twin', () => {
  check(cases, 30, ({ spec, length, count, seed }) => {
    const gradients = randomValues(seed, spec.shards * spec.shardStride);
    const expected = reduce(spec, gradients, length, count);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
    const heap = heapOf(memory.buffer);
    const module = new WebAssembly.Module(assembleModule([reduceShardsTwin.emit(spec, BASELINE_TARGET)!]));
    const twin = new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as KernelFunction;
    for (const kernel of [reduceShardsFamily.bind(spec, heap), twin]) {
      heap.f32.set(gradients, 3);
      kernel(12, 12, length, count);
      assertSameBits(heap.f32.slice(3, 3 + length), expected);
      assertSameBits(heap.f32.slice(3 + length, 3 + gradients.length), gradients.slice(length));
    }
  });
});

test('reduce shards refuses more than 16 shards and empty ones', () => {
  const heap = heapOf(new ArrayBuffer(8));
  const spec: ReduceShardsSpec = { kind: 'reduceShards', shards: 16, shardSize: 4, shardStride: 10 };
  const wrongs = [
    { shards: 17 },
    { shards: 0 },
    { shardSize: 0 },
    { shardSize: 2 ** 31 },
    { shardStride: 1.5 },
    { shardStride: 2 ** 30 + 1 },
  ];
  for (const wrong of wrongs) {
    assert.throws(() => reduceShardsFamily.bind({ ...spec, ...wrong }, heap), ConfigError);
    assert.throws(() => reduceShardsTwin.emit({ ...spec, ...wrong }, BASELINE_TARGET), ConfigError);
  }
  for (const most of [{ shardSize: 2 ** 31 - 1 }, { shardStride: 2 ** 30 }]) {
    reduceShardsFamily.bind({ ...spec, ...most }, heap);
  }
});

test('the twin serves shards as far apart as an offset of 32 bits reaches, and leaves others to the scalar kernel', () => {
  for (const shards of [2, 7, 16]) {
    // The last shard's second vector.
    const shardStride = Math.floor((2 ** 32 - 1 - 16) / (4 * (shards - 1)));
    const spec: ReduceShardsSpec = { kind: 'reduceShards', shards, shardSize: 1, shardStride };
    const twin = reduceShardsTwin.emit(spec, BASELINE_TARGET);
    assert.ok(twin !== undefined && WebAssembly.validate(assembleModule([twin])), `${shards} shards`);
    const further = { ...spec, shardStride: shardStride + 1 };
    assert.equal(
      reduceShardsTwin.emit(further, BASELINE_TARGET),
      undefined,
      `${shards} shards, further apart`,
    );
  }
});

test('the twin of reduce shards equals the scalar kernel for every number of active shards', () => {
  check(cases, 50, ({ spec, length, count, seed }) => {
    assertTwin(reduceShardsFamily, reduceShardsTwin, spec, {
      count,
      literals: { length },
      seed,
      specials: true,
    });
  });
  for (let count = 0; count <= 16; count++) {
    const spec: ReduceShardsSpec = { kind: 'reduceShards', shards: 16, shardSize: 1, shardStride: 23 };
    assertTwin(reduceShardsFamily, reduceShardsTwin, spec, { count, literals: { length: 23 }, seed: count });
  }
});
