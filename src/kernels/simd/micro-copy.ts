/** Copies pixels from one view to another, a line of cache at a time. */
import type { View } from '../../tensor/view.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, walk } from './micro-loops.ts';

const LINE_FLOATS = 16;

type Pair = readonly [from: Local, to: Local];

/** `images` x `rows` x `columns` pixels of `source.channels`, a multiple of 4; both pointers at the first one. */
export function copyPixels(
  b: FunctionBuilder,
  { images, rows, columns }: { images: Local; rows: number; columns: number },
  source: View,
  from: Local,
  target: View,
  to: Local,
): void {
  const down = (
    count: number | Local,
    stride: 'imageStride' | 'rowStride' | 'pixelStride',
    pointers: Pair,
    body: (pointers: Pair) => void,
  ) => walkPair(b, count, pointers, [4 * source[stride], 4 * target[stride]], body);
  down(images, 'imageStride', [from, to], (image) => {
    down(rows, 'rowStride', image, (row) => {
      down(columns, 'pixelStride', row, (pixel) => copyFloats(b, source.channels, pixel));
    });
  });
}

/** Walks two pointers together, each by its step in bytes. */
function walkPair(
  b: FunctionBuilder,
  count: number | Local,
  [from, to]: Pair,
  [fromStep, toStep]: readonly [number, number],
  body: (pointers: Pair) => void,
): void {
  const cursors = [
    { from, step: fromStep },
    { from: to, step: toStep },
  ];
  walk(b, count, cursors, ([x, y]) => body([x!, y!]));
}

/** Copies a multiple of 4 floats. */
function copyFloats(b: FunctionBuilder, floats: number, [from, to]: Pair): void {
  for (const part of fullParts(floats, LINE_FLOATS)) {
    const [offset, step] = [4 * part.start, 4 * LINE_FLOATS];
    const cursors = [
      { from, offset, step },
      { from: to, offset, step },
    ];
    walk(b, part.count, cursors, ([x, y]) => {
      for (let at = 0; at < part.size; at += 4) {
        b.get(y!)
          .get(x!)
          .memory('v128.load', 4 * at)
          .memory('v128.store', 4 * at);
      }
    });
  }
}
