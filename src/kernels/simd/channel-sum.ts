/**
 * SIMD twin of ../channel-sum.ts: up to 64 channels at a time, whose sums stay in registers over all pixels of
 * all samples. Many independent sums hide the latency of the additions.
 */
import { type ChannelSumSpec, channelSum } from '../channel-sum.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, mergeLevels, walk } from './micro-loops.ts';
import { declareTile, loadLanes, startTile, storeTile, type Tile } from './micro-tile.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const channelSumTwin: SimdTwin<ChannelSumSpec> = {
  kind: 'channelSum',
  emit(spec, target) {
    const b = twinFunction(channelSum, spec);
    const most = 4 * target.accumulators;
    for (const { start, count, size } of fullParts(spec.view.channels, most)) {
      const cursors = [
        { from: b.param('values'), offset: 4 * start, step: 4 * most },
        { from: b.param('sums'), offset: 4 * start, step: 4 * most },
      ];
      walk(b, count, cursors, ([values, sums]) => {
        const tile = declareTile(b, 1, size);
        startTile(b, tile, spec.accumulate ? { kind: 'rows', at: sums!, offsets: [0] } : { kind: 'zero' });
        addPixels(b, tile, spec, values!);
        storeTile(b, tile, sums!, [0], false);
      });
    }
    return b;
  },
};

/** Adds all pixels of all samples to the tile's sums. */
function addPixels(b: FunctionBuilder, tile: Tile, { view }: ChannelSumSpec, values: Local): void {
  const step = (count: number, stride: number) => ({ count, splat: 4 * stride, vector: 4 * stride });
  const levels = mergeLevels([step(view.height, view.rowStride), step(view.width, view.pixelStride)]);
  const addLevels = (depth: number, at: Local): void => {
    const level = levels[depth];
    if (level !== undefined) {
      walk(b, level.count, [{ from: at, step: level.vector }], ([inner]) => addLevels(depth + 1, inner!));
      return;
    }
    tile.sums[0]!.forEach((sum, v) => {
      b.get(sum);
      loadLanes(b, at, 16 * v, v === tile.vectors.length - 1 ? tile.lastLanes : 4);
      b.op('f32x4.add').set(sum);
    });
  };
  walk(b, b.param('count'), [{ from: values, step: 4 * view.imageStride }], ([image]) =>
    addLevels(0, image!),
  );
}
