/**
 * The SIMD twin of reduce-shards.ts: a loop of its own for every number of active shards. The tree is walked
 * depth first, which needs a handful of registers and gives the same sums.
 */
import { checkReduceShards, type ReduceShardsSpec, reduceShardsFamily } from '../reduce-shards.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { emitRun, loadPart, type Part, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const reduceShardsTwin: SimdTwin<ReduceShardsSpec> = {
  kind: 'reduceShards',
  emit(spec) {
    checkReduceShards(spec);
    const { shards, shardSize, shardStride } = spec;
    const lastShardOffset = 4 * (shards - 1) * shardStride;
    if (lastShardOffset + 16 >= 2 ** 32) return undefined;
    const b = twinFunction(reduceShardsFamily, spec);
    const active = b.local('i32', 'active');
    // count below 2^30 and shardSize below 2^31: the sum fits an unsigned i32.
    b.get(b.param('count'))
      .i32(shardSize - 1)
      .op('i32.add')
      .i32(shardSize)
      .op('i32.div_u')
      .set(active);
    const scratch = Array.from({ length: 2 }, () => b.localArray('v128', 5, 'sum'));
    for (let shardCount = shards; shardCount >= 0; shardCount--) {
      b.get(active)
        .i32(shardCount)
        .op(shardCount === shards ? 'i32.ge_u' : 'i32.eq');
      b.if(() => {
        emitSum(b, shardCount, 4 * shardStride, scratch);
        b.return();
      });
    }
    return b;
  },
};

/** output = the tree's sum over the first `shards` shards. */
function emitSum(
  b: FunctionBuilder,
  shards: number,
  shardBytes: number,
  scratch: readonly (readonly Local[])[],
): void {
  const gradients = b.param('gradients');
  const output = b.param('output');
  emitRun(b, b.param('length'), [gradients, output], (parts) => {
    /** Sums the shards from `first` on that the tree joins into g[first] in strides below `span`. */
    const sum = (first: number, span: number, depth: number): void => {
      const middle = first + span / 2;
      if (span > 1 && middle < shards) {
        sum(first, span / 2, depth);
        sum(middle, span / 2, depth + 1);
        parts.forEach((_, i) => {
          const [left, right] = [scratch[i]![depth]!, scratch[i]![depth + 1]!];
          b.get(left).get(right).op('f32x4.add').set(left);
        });
      } else if (span > 1) sum(first, span / 2, depth);
      else load(first, depth);
    };
    const load = (shard: number, depth: number) => {
      parts.forEach((part, i) => {
        const at: Part = { ...part, offset: part.offset + shard * shardBytes };
        loadPart(b, gradients, at).set(scratch[i]![depth]!);
      });
    };
    if (shards === 0) for (let i = 0; i < parts.length; i++) b.f32x4(0).set(scratch[i]![0]!);
    else sum(0, 16, 0);
    parts.forEach((part, i) => {
      storePart(b, output, part, scratch[i]![0]!);
    });
  });
}
