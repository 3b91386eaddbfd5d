/**
 * SIMD twin of ../conv2d-weight-gradient.ts. A tile of rows x 16 output channels sums over the pixels of a
 * block; between blocks its sums wait in gradWeight, which changes no bits.
 *
 * Loops, outermost first: large blocks (images, or rows of a large image), groups, panels of 16 output
 * channels, chunks of 16 input channels, small blocks of pixels, taps, tiles, pixels. What a large block reads
 * stays in the second-level cache; the lines of a small block, and a chunk's part of gradWeight, in the first.
 * Where `copied`, a large block is read from its copy in scratch (conv2d-gradient-blocks.ts).
 */
import { blockSize, copiedViews, inputExtent, sumsImagesTogether } from '../conv2d-gradient-blocks.ts';
import { checkForwardViews } from '../conv2d-views.ts';
import { type Conv2dWeightGradientSpec, conv2dWeightGradient } from '../conv2d-weight-gradient.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { copyPixels } from './micro-copy.ts';
import { emitDepthwiseWeightGradient, isDepthwise } from './micro-depthwise.ts';
import { evenParts, fullParts, mergeLevels, repeat, type Steps, walk } from './micro-loops.ts';
import { emitRows, type OuterPointers, type Reduction, type RowStart } from './micro-rows.ts';
import { reduceLevels, reduceSamples } from './micro-tile.ts';
import { touchLines } from './micro-touch.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';

/** Output channels of a panel, and input channels of a chunk: a line of cache each. */
const LINE = 16;
/** Pixels of a small block, about: enough to hide the loads and stores of a tile's sums. */
const SMALL_BLOCK_PIXELS = 48;
/** Longer rows are cut into several small blocks; more than SMALL_BLOCK_PIXELS, so that stripes of several rows are not. */
const LONGEST_ROW = 64;

export const conv2dWeightGradientTwin: SimdTwin<Conv2dWeightGradientSpec> = {
  kind: 'conv2dWeightGradient',
  emit(spec, target) {
    const { geometry: g, input, gradOutput } = spec;
    checkForwardViews('conv2dWeightGradient', g, input, 'gradOutput', gradOutput);
    const b = twinFunction(conv2dWeightGradient, spec);
    if (isDepthwise(g)) {
      emitDepthwiseWeightGradient(b, spec, target);
      return b;
    }
    const context = { b, spec, target, first: b.local('i32', 'first'), images: b.local('i32', 'images') };
    const corner = -4 * (g.padding.top * input.rowStride + g.padding.left * input.pixelStride);
    const start = { from: b.param('input'), offset: corner, step: 0 };
    walk(b, 1, [start], ([x]) => {
      const at = { input: x!, gradOutput: b.param('gradOutput'), gradWeight: b.param('gradWeight') };
      emitLargeBlocks(context, at);
    });
    return b;
  },
};

/** What all parts of the emitter share. */
interface Context {
  readonly b: FunctionBuilder;
  readonly spec: Conv2dWeightGradientSpec;
  readonly target: Target;
  /** 1 in the first large block, where sums start at zero unless they accumulate; then 0. */
  readonly first: Local;
  /** Images of the current large block. */
  readonly images: Local;
}

/** Byte steps of input and gradOutput from image to image, row to row, pixel to pixel of gradOutput. */
function imageSteps({ input, gradOutput }: Conv2dWeightGradientSpec): Steps {
  return { splat: 4 * input.imageStride, vector: 4 * gradOutput.imageStride };
}
function rowSteps({ geometry, input, gradOutput }: Conv2dWeightGradientSpec): Steps {
  return { splat: 4 * geometry.strideY * input.rowStride, vector: 4 * gradOutput.rowStride };
}
function pixelSteps({ geometry, input, gradOutput }: Conv2dWeightGradientSpec): Steps {
  return { splat: 4 * geometry.strideX * input.pixelStride, vector: 4 * gradOutput.pixelStride };
}

/** Walks input and gradOutput together over parts of an axis. */
function walkPart(
  { b }: Context,
  at: OuterPointers,
  steps: Steps,
  count: number | Local,
  part: { readonly start: number; readonly size: number },
  body: (at: OuterPointers) => void,
): void {
  const cursors = [
    { from: at.input, offset: part.start * steps.splat, step: part.size * steps.splat },
    { from: at.gradOutput, offset: part.start * steps.vector, step: part.size * steps.vector },
  ];
  walk(b, count, cursors, ([input, gradOutput]) => body({ ...at, input: input!, gradOutput: gradOutput! }));
}

/** Large blocks: as many images as fit, or rows of one image. Runs once, over no images, where count is 0. */
function emitLargeBlocks(context: Context, at: OuterPointers): void {
  const { b, spec, first, images } = context;
  const { geometry: g } = spec;
  const { images: most, rows } = blockSize(spec, spec.copied === true);
  const left = b.local('i32', 'left');
  const x = b.local('i32', 'input');
  const y = b.local('i32', 'gradOutput');
  b.i32(1).set(first).get(at.input).set(x).get(at.gradOutput).set(y);
  b.get(b.param('count')).set(left);
  b.loop((again) => {
    b.get(left).i32(most).get(left).i32(most).op('i32.lt_s').select('i32').set(images);
    for (const part of evenParts(g.outHeight, rows)) {
      const block = { ...at, input: x, gradOutput: y };
      walkPart(context, block, rowSteps(spec), part.count, part, (from) => {
        if (spec.copied) {
          const copy = copyBlock(context, from, part.size);
          emitPanels(copy.context, copy.at, part.size);
        } else {
          touchBlock(context, from, part.size);
          emitPanels(context, from, part.size);
        }
        b.i32(0).set(first);
      });
    }
    const { splat, vector } = imageSteps(spec);
    b.advance(x, most * splat).advance(y, most * vector);
    b.get(left).i32(most).op('i32.sub').tee(left).i32(0).op('i32.gt_s').brIf(again);
  });
}

/** Brings what a large block reads into the second-level cache: `rows` rows of gradOutput of each image. */
function touchBlock(context: Context, at: OuterPointers, rows: number): void {
  const { b, spec, images } = context;
  const { geometry: g, input, gradOutput } = spec;
  const extent = inputExtent(g, rows);
  const inputFloats =
    (extent.rows - 1) * input.rowStride + (extent.columns - 1) * input.pixelStride + g.inChannels;
  const gradFloats =
    (rows - 1) * gradOutput.rowStride + (g.outWidth - 1) * gradOutput.pixelStride + g.outChannels;
  walkPart(context, at, imageSteps(spec), images, { start: 0, size: 1 }, (image) => {
    touchLines(b, image.input, inputFloats);
    touchLines(b, image.gradOutput, gradFloats);
  });
}

/** Copies what a large block reads into scratch; the context and pointers by which to read it there. */
function copyBlock(
  context: Context,
  at: OuterPointers,
  rows: number,
): { context: Context; at: OuterPointers } {
  const { b, spec, images } = context;
  const { geometry: g } = spec;
  const views = copiedViews(spec);
  const scratch = b.param('scratch');
  const gradients = b.local('i32', 'gradients');
  const inputFloats = blockSize(spec, true).images * views.input.imageStride;
  b.get(scratch)
    .i32(4 * inputFloats)
    .op('i32.add')
    .set(gradients);
  copyPixels(b, { images, ...inputExtent(g, rows) }, spec.input, at.input, views.input, scratch);
  const block = { images, rows, columns: g.outWidth };
  copyPixels(b, block, spec.gradOutput, at.gradOutput, views.gradOutput, gradients);
  return {
    context: { ...context, spec: { ...spec, ...views } },
    at: { ...at, input: scratch, gradOutput: gradients },
  };
}

/** Groups, panels of output channels, chunks of input channels; `rows` is the large block's height. */
function emitPanels(context: Context, at: OuterPointers, rows: number): void {
  const { b, spec } = context;
  const { geometry: g, flip } = spec;
  const inChannels = g.inChannels / g.groups;
  const outChannels = g.outChannels / g.groups;
  const lastTap = flip ? (g.kernelHeight * g.kernelWidth - 1) * inChannels * g.outChannels * 4 : 0;
  const move = (
    from: OuterPointers,
    count: number,
    offset: readonly [input: number, gradOutput: number, gradWeight: number],
    step: readonly [input: number, gradOutput: number, gradWeight: number],
    body: (at: OuterPointers) => void,
  ) => {
    const pointers = [from.input, from.gradOutput, from.gradWeight];
    const cursors = pointers.map((pointer, i) => ({ from: pointer, offset: offset[i]!, step: step[i]! }));
    walk(b, count, cursors, ([input, gradOutput, gradWeight]) => {
      body({ input: input!, gradOutput: gradOutput!, gradWeight: gradWeight! });
    });
  };
  const groupStep = [4 * inChannels, 4 * outChannels, 4 * outChannels] as const;
  move(at, g.groups, [0, 0, lastTap], groupStep, (group) => {
    for (const panels of fullParts(outChannels, LINE)) {
      const bytes = 4 * panels.start;
      move(group, panels.count, [0, bytes, bytes], [0, 4 * LINE, 4 * LINE], (panel) => {
        for (const chunks of fullParts(inChannels, LINE)) {
          const offset = [4 * chunks.start, 0, 4 * chunks.start * g.outChannels] as const;
          move(panel, chunks.count, offset, [4 * LINE, 0, 4 * LINE * g.outChannels], (chunk) => {
            emitChunk(context, chunk, chunks.size, panels.size, rows);
          });
        }
      });
    }
  });
}

/** `lanes` output channels and all taps of `channels` input channels, over the images of the large block. */
function emitChunk(context: Context, at: OuterPointers, channels: number, lanes: number, rows: number): void {
  const { b, spec, target, first, images } = context;
  const { geometry: g, input, accumulate, flip } = spec;
  const row = 4 * g.outChannels;
  const tap = row * (g.inChannels / g.groups) * (flip ? -1 : 1);
  const levels = mergeLevels([
    { count: g.kernelHeight, splat: 4 * g.dilationY * input.rowStride, vector: g.kernelWidth * tap },
    { count: g.kernelWidth, splat: 4 * g.dilationX * input.pixelStride, vector: tap },
    { count: channels, splat: 4, vector: row },
  ]);
  const tiles = (from: OuterPointers, start: RowStart, reduction: Reduction) =>
    emitRows(b, levels, from, lanes, start, reduction, target);
  if (!accumulate) b.get(first).if(() => tiles(at, 'zero', undefined));
  if (sumsImagesTogether(g)) {
    tiles(at, 'rows', imagesTogether(context));
    return;
  }
  walkPart(context, at, imageSteps(spec), images, { start: 0, size: 1 }, (image) => {
    const blockRows = Math.max(1, Math.round(SMALL_BLOCK_PIXELS / g.outWidth));
    for (const down of evenParts(rows, blockRows)) {
      walkPart(context, image, rowSteps(spec), down.count, down, (stripe) => {
        // A row that is cut is a stripe of its own, so that its pixels keep their order.
        for (const across of evenParts(g.outWidth, LONGEST_ROW)) {
          walkPart(context, stripe, pixelSteps(spec), across.count, across, (block) => {
            tiles(block, 'rows', pixelBlock(context, down.size, across.size));
          });
        }
      });
    }
  });
}

/** The reduction over a block of pixels of one image. */
function pixelBlock({ b, spec, target }: Context, rows: number, columns: number): Reduction {
  const levels = mergeLevels([
    { count: rows, ...rowSteps(spec) },
    { count: columns, ...pixelSteps(spec) },
  ]);
  return (tile, factors) => reduceLevels(b, tile, factors, levels, target);
}

/** The reduction over all pixels of all images of the large block. */
function imagesTogether({ b, spec, target, images }: Context): Reduction {
  const { outHeight, outWidth } = spec.geometry;
  const step = imageSteps(spec);
  if (outHeight * outWidth === 1) {
    return (tile, factors) => reduceSamples(b, tile, factors, images, step, target);
  }
  const levels = mergeLevels([
    { count: outHeight, ...rowSteps(spec) },
    { count: outWidth, ...pixelSteps(spec) },
  ]);
  const whole = levels[0]!;
  return (tile, factors) =>
    repeat(b, images, () => {
      reduceLevels(b, tile, factors, levels, target);
      b.advance(factors.splat, step.splat - whole.count * whole.splat);
      b.advance(factors.vector, step.vector - whole.count * whole.vector);
    });
}
