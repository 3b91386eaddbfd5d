/** What the twins of losses over images share: walks in f64, one element at a time, since their sums are sequential. */
import { type LossViews, targetView } from '../loss-arguments.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { forEachImage, nest, startPointers, type Walked } from './rows.ts';

/** Pointers to the current pixel, or element: input, targets, and the gradient where there is one. */
export interface LossPointers {
  readonly x: Local;
  readonly target: Local;
  readonly to: Local | undefined;
}

/** Walks through an image's pixels, or elements (channels too), with the pointers; they end where they began. */
export type Walk = (by: 'pixels' | 'elements', body: () => void) => void;

/**
 * Emits `body` for each image. It writes what it has to with `storeResult`; the pointers of what there is once a sample
 * move along.
 */
export function forEachLossImage(
  b: FunctionBuilder,
  spec: LossViews,
  results: readonly (readonly [name: string, bytes: number])[],
  body: (pointers: LossPointers, walk: Walk) => void,
): void {
  const { input, gradInput } = spec;
  const { height, width, channels } = input;
  const buffers: Walked[] = [
    { origin: b.param('input'), view: input },
    { origin: b.param('targets'), view: targetView(spec) },
    ...(gradInput === undefined ? [] : [{ origin: b.param('gradInput'), view: gradInput }]),
  ];
  const pointers = startPointers(b, buffers);
  const [x, target, to] = pointers as [Local, Local, Local | undefined];
  const dimension = (extent: number, stride: 'rowStride' | 'pixelStride') => ({
    extent,
    stepBytes: buffers.map(({ view }) => view[stride] * 4),
  });
  const pixels = [dimension(height, 'rowStride'), dimension(width, 'pixelStride')];
  const elements = [...pixels, { extent: channels, stepBytes: buffers.map(() => 4) }];
  const walk: Walk = (by, each) => {
    const dimensions = (by === 'pixels' ? pixels : elements).filter(({ extent }) => extent > 1);
    nest(b, dimensions, pointers, each);
  };
  forEachImage(b, buffers, pointers, b.param('count'), () => {
    body({ x, target, to }, walk);
    for (const [name, bytes] of [['sampleScale', 4] as const, ...results]) b.advance(b.param(name), bytes);
  });
}

/** Emits `body` for each channel of the pixel at the pointers, which are moved and put back; `c` counts. */
export function forEachChannel(
  b: FunctionBuilder,
  channels: number,
  c: Local,
  pointers: readonly (Local | undefined)[],
  body: () => void,
): void {
  const moving = pointers.filter((pointer) => pointer !== undefined);
  b.forRange(
    c,
    channels,
    () => {
      body();
      for (const pointer of moving) b.advance(pointer, 4);
    },
    { test: 'last' },
  );
  for (const pointer of moving) b.advance(pointer, -4 * channels);
}

/** Pushes the f32 at a pointer as f64. */
export function pushDouble(b: FunctionBuilder, pointer: Local): FunctionBuilder {
  return b.get(pointer).memory('f32.load').op('f64.promote_f32');
}

/** Sets `index` to the place of the first largest of `channels` f32, and `largest` to it. */
export function emitFirstLargest(
  b: FunctionBuilder,
  pointer: Local,
  channels: number,
  c: Local,
  index: Local,
  largest: Local,
): void {
  const candidate = b.local('f64', 'candidate');
  pushDouble(b, pointer).set(largest).i32(0).set(index);
  forEachChannel(b, channels, c, [pointer], () => {
    pushDouble(b, pointer).tee(candidate).get(largest).op('f64.gt');
    b.if(() => b.get(candidate).set(largest).get(c).set(index));
  });
}

/** Adds the f64 on the stack to a local. */
export function accumulate(b: FunctionBuilder, sum: Local): void {
  b.get(sum).op('f64.add').set(sum);
}
