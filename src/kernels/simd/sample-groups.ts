/** Loops over the samples of a batch whose groups have numbers of their own, and f64 sums over a sample's pixels. */
import type { View } from '../../tensor/view.ts';
import type { SampleGroups } from '../batch-norm.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, walk } from './micro-loops.ts';
import { type Dimension, nest, startPointers, type Walked } from './rows.ts';

/** Numbers of a group: where those of group 0 begin, and bytes from one group's to the next one's. */
export interface GroupNumbers {
  readonly origin: Local;
  readonly bytes: number;
}

/** Emits `body` for each image, with pointers to its pixels and to its group's numbers; the body leaves them in place. */
export function forEachGroupedImage(
  b: FunctionBuilder,
  { groups, groupSize }: SampleGroups,
  images: readonly Walked[],
  numbers: readonly GroupNumbers[],
  body: (images: readonly Local[], numbers: readonly Local[]) => void,
): void {
  const pointers = startPointers(b, images);
  const planes = startPointers(
    b,
    numbers.map(({ origin }) => ({ origin, view: images[0]!.view })),
  );
  const n = b.local('i32', 'n');
  const group = b.local('i32', 'group');
  b.forRange(n, b.param('count'), () => {
    if (groups > 1) {
      b.get(b.param('firstSample')).get(n).op('i32.add').i32(groupSize).op('i32.div_u').set(group);
      numbers.forEach(({ origin, bytes }, i) => {
        b.get(group).i32(bytes).op('i32.mul').get(origin).op('i32.add').set(planes[i]!);
      });
    }
    body(pointers, planes);
    pointers.forEach((pointer, i) => {
      b.advance(pointer, images[i]!.view.imageStride * 4);
    });
  });
}

/** The loops over an image's pixels, for pointers into views of one size. */
export function pixelLoops(views: readonly View[]): Dimension[] {
  const { height, width } = views[0]!;
  const columns = { extent: width, stepBytes: views.map(({ pixelStride }) => 4 * pixelStride) };
  if (views.every(({ rowStride, pixelStride }) => rowStride === width * pixelStride)) {
    return [{ ...columns, extent: height * width }].filter(({ extent }) => extent > 1);
  }
  const rows = { extent: height, stepBytes: views.map(({ rowStride }) => 4 * rowStride) };
  return [rows, columns].filter(({ extent }) => extent > 1);
}

/** One or two neighbouring channels as f64x2: channels from the pointers on, and how many. */
export interface ChannelPair {
  readonly channel: number;
  readonly lanes: 1 | 2;
}

/** Channels whose sums stay in registers: four pairs with two sums each, and what they are taken from. */
const CHANNELS = 8;

/**
 * Emits sums over an image's pixels, `CHANNELS` channels at a time: `start`, for each pixel `add`, and `end`, with
 * pointers to the channels in the images, and in `others`, whose elements have the given bytes.
 */
export function sumOverPixels(
  b: FunctionBuilder,
  views: readonly View[],
  images: readonly Local[],
  others: readonly { readonly pointer: Local; readonly bytes: number }[],
  emit: {
    start(pairs: readonly ChannelPair[], images: readonly Local[], others: readonly Local[]): void;
    add(pairs: readonly ChannelPair[], images: readonly Local[]): void;
    end(pairs: readonly ChannelPair[], images: readonly Local[], others: readonly Local[]): void;
  },
): void {
  const loops = pixelLoops(views);
  for (const { start, count, size } of fullParts(views[0]!.channels, CHANNELS)) {
    const cursors = [
      ...images.map((from) => ({ from, offset: 4 * start, step: 4 * CHANNELS })),
      ...others.map(({ pointer: from, bytes }) => ({ from, offset: bytes * start, step: bytes * CHANNELS })),
    ];
    const pairs = Array.from(
      { length: Math.ceil(size / 2) },
      (_, i): ChannelPair => ({
        channel: 2 * i,
        lanes: 2 * i + 1 < size ? 2 : 1,
      }),
    );
    walk(b, count, cursors, (pointers) => {
      const [at, rest] = [pointers.slice(0, images.length), pointers.slice(images.length)];
      emit.start(pairs, at, rest);
      nest(b, loops, at, () => emit.add(pairs, at));
      emit.end(pairs, at, rest);
    });
  }
}

/** Pushes a pair of f32 channels as f64x2; the lane of a channel that is not there is 0. */
export function pushPair(
  b: FunctionBuilder,
  pointer: Local,
  { channel, lanes }: ChannelPair,
): FunctionBuilder {
  b.get(pointer).memory(lanes === 2 ? 'v128.load64_zero' : 'v128.load32_zero', 4 * channel);
  return b.op('f64x2.promote_low_f32x4');
}

/** Stores a pair of f64, `plane` channels behind those that the pointer is at. */
export function storePair(
  b: FunctionBuilder,
  pointer: Local,
  { channel, lanes }: ChannelPair,
  value: Local,
  plane: number,
): void {
  const offset = 8 * (plane + channel);
  b.get(pointer).get(value);
  if (lanes === 2) b.memory('v128.store', offset);
  else b.memoryLane('v128.store64_lane', 0, offset);
}
