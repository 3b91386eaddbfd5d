/**
 * Sums a range of the shards' gradients in a fixed tree.
 *
 *   gradients  one buffer a shard, `shardStride` elements apart; the argument is the range's origin in shard 0
 *   output     [length]; may be the range in shard 0 itself, and overlaps no other input
 *   count      samples of the batch: the first active = min(shards, ceil(count / shardSize)) shards hold gradients,
 *              the others are not read
 *
 *   for (stride = 1; stride < active; stride *= 2)
 *     for (i = 0; i + stride < active; i += 2 * stride) g[i] = g[i] + g[i + stride]
 *   output = g[0]
 *
 * element by element, every sum rounded to f32; the inputs are not modified. Without samples output is +0.
 * The tree depends on the number of active shards alone.
 */
import { ConfigError } from '../errors.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface ReduceShardsSpec {
  readonly kind: 'reduceShards';
  /** Shards of a full batch, from 1 to 16. */
  readonly shards: number;
  /** Samples a shard. */
  readonly shardSize: number;
  /** Elements from one shard's gradients to the next's. */
  readonly shardStride: number;
}

/** Most shards that a batch is cut into. */
export const MAX_SHARDS = 16;

const f = Math.fround;

export const reduceShardsFamily: KernelFamily<ReduceShardsSpec> = {
  kind: 'reduceShards',
  args: ({ shards, shardStride }) => [
    f32Buffer('gradients', 'in', () => shards * shardStride),
    f32Buffer('output', 'out', () => shardStride),
    { name: 'length', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkReduceShards(spec);
    const { shards, shardSize, shardStride } = spec;
    const sums = new Float32Array(shards);
    return (gradientsBytes, outputBytes, length, count) => {
      const gradients = gradientsBytes! >>> 2;
      const output = outputBytes! >>> 2;
      const active = Math.min(shards, Math.ceil(count! / shardSize));
      for (let at = 0; at < length!; at++) {
        sums[0] = 0;
        for (let i = 0; i < active; i++) sums[i] = f32[gradients + i * shardStride + at]!;
        for (let stride = 1; stride < active; stride *= 2) {
          for (let i = 0; i + stride < active; i += 2 * stride) sums[i] = f(sums[i]! + sums[i + stride]!);
        }
        f32[output + at] = sums[0]!;
      }
    };
  },
};

/** Throws ConfigError unless the numbers of a spec make sense. */
export function checkReduceShards({ shards, shardSize, shardStride }: ReduceShardsSpec): void {
  checkInteger('shards', shards, MAX_SHARDS);
  checkInteger('shardSize', shardSize, 2 ** 31 - 1);
  checkInteger('shardStride', shardStride, 2 ** 30);
}

function checkInteger(argument: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new ConfigError({
    operation: 'reduceShards',
    argument,
    expected: `an integer from 1 to ${most}`,
    received: String(value),
  });
}
