/**
 * Contractions over packed weights: the forward pass and the input gradient of convolutions and of dense
 * layers are all sums over taps and inner channels, for grids of pixels (conv2d-taps.ts), with weights in
 * panels of 16 outputs (conv2d-pack.ts).
 *
 * Loops, outermost first: images, groups, panels, grids, blocks of the reduction, pixels (micro-pixels.ts),
 * and inside a tile the taps and inner channels of a block (micro-tile.ts). A block's weights stay in the
 * first-level cache while the pixels pass by; between blocks the sums wait in the output, which changes no bits.
 */
import { PANEL, type PanelLayout, panelledLength } from '../conv2d-pack.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import type { TapGrid } from './conv2d-taps.ts';
import { emitDepthwise } from './micro-depthwise.ts';
import { cutBlocks, fullParts, type Level, mergeLevels, passes, walk } from './micro-loops.ts';
import { emitGrid, emitSamples, type PixelPointers, type Stage } from './micro-pixels.ts';
import type { Target } from './twin.ts';

/** Bytes of a block's weights: what leaves room for inputs in a first-level cache of 32 KiB. */
const BLOCK_BYTES = 24 * 1024;
/** From this number of pixels an image on, a block serves one image's pixels; below, those of all images. */
const MANY_PIXELS = 64;

/** Everything a contraction is made of. */
export interface PanelContraction {
  readonly layout: PanelLayout;
  readonly grids: readonly TapGrid[];
  readonly source: Local;
  readonly weight: Local;
  readonly bias: Local | undefined;
  readonly output: Local;
  readonly count: Local;
  /** Bytes from one image to the next. */
  readonly sourceImage: number;
  readonly outputImage: number;
  /** Whether sums start at what the output holds. */
  readonly accumulate: boolean;
  readonly relu: boolean;
  /** Products of a tap summed by themselves before they are added to the output. */
  readonly sumBlock: number | undefined;
}

/** How the images are walked: outermost, inside each block, or as the pixels of a tile. */
type ImageLoop = 'outermost' | 'in each block' | 'as pixels';

/** Bytes by which the pointers move; the bias moves with the output. */
interface Steps {
  readonly source: number;
  readonly weight: number;
  readonly output: number;
}

/** Emits the whole contraction. */
export function emitPanels(b: FunctionBuilder, c: PanelContraction, target: Target): void {
  const { groups, outputs, inner } = c.layout;
  if (groups >= 4 && outputs === 1 && inner === 1 && c.sumBlock === undefined) {
    emitDepthwise(b, c, target);
    return;
  }
  const pixels = c.grids.reduce(
    (sum, { vertical, horizontal }) => sum + vertical.pixels * horizontal.pixels,
    0,
  );
  const images = pixels === 1 ? 'as pixels' : pixels < MANY_PIXELS ? 'in each block' : 'outermost';
  const emit = (at: PixelPointers) => emitGroups(b, c, images, at, target);
  if (images === 'outermost') walkImages(b, c, c, emit);
  else emit(c);
}

function walkImages(
  b: FunctionBuilder,
  c: PanelContraction,
  from: PixelPointers,
  body: (at: PixelPointers) => void,
): void {
  const cursors = [
    { from: from.source, step: c.sourceImage },
    { from: from.output, step: c.outputImage },
  ];
  walk(b, c.count, cursors, ([source, output]) => {
    body({ source: source!, output: output!, weight: from.weight, bias: from.bias });
  });
}

/** Groups, and in each its panels: the full ones, then the narrower last one. */
function emitGroups(
  b: FunctionBuilder,
  c: PanelContraction,
  images: ImageLoop,
  at: PixelPointers,
  target: Target,
): void {
  const { groups, outputs, inner, taps } = c.layout;
  const weights = (4 * panelledLength(c.layout)) / groups;
  move(b, groups, at, { source: 4 * inner, weight: weights, output: 4 * outputs }, (group) => {
    for (const panels of fullParts(outputs, PANEL)) {
      const steps = (size: number) => ({ source: 0, weight: 4 * size * taps * inner, output: 4 * size });
      const emit = (panel: PixelPointers) => emitPanel(b, c, images, panel, panels.size, target);
      move(b, panels.count, group, steps(PANEL), emit, steps(panels.start));
    }
  });
}

/** All pixels of one panel of `lanes` outputs. */
function emitPanel(
  b: FunctionBuilder,
  c: PanelContraction,
  images: ImageLoop,
  at: PixelPointers,
  lanes: number,
  target: Target,
): void {
  const start = c.accumulate ? 'output' : c.bias ? 'bias' : 'zero';
  const passBytes = 16 * Math.ceil(lanes / 4);
  for (const grid of c.grids) {
    const pixels = (from: PixelPointers, stage: Stage) =>
      emitStage(b, c, images, grid, from, lanes, stage, target);
    const { levels, first } = gridLevels(grid, c.layout.inner, passBytes);
    if (c.sumBlock !== undefined && levels.length > 0) {
      moveBy(b, at, first, (from) => emitSums(b, c, grid, from, passBytes, start, pixels));
      continue;
    }
    if (levels.length === 0) {
      if (start !== 'output' || c.relu) pixels(at, { start, levels, relu: c.relu });
      continue;
    }
    moveBy(b, at, first, (from) => {
      const { outer, inner } = cutBlocks(levels, BLOCK_BYTES / passBytes);
      if (passes(outer) === 1) return pixels(from, { start, levels: inner, relu: c.relu });
      if (start !== 'output') pixels(from, { start, levels: [], relu: false });
      emitBlocks(b, outer, from, (block) => pixels(block, { start: 'output', levels: inner, relu: false }));
      if (c.relu) pixels(from, { start: 'output', levels: [], relu: true });
    });
  }
}

/** All pixels of a panel where every `sumBlock` products are summed by themselves and added to the output. */
function emitSums(
  b: FunctionBuilder,
  c: PanelContraction,
  { vertical, horizontal }: TapGrid,
  from: PixelPointers,
  passBytes: number,
  start: Stage['start'],
  pixels: (at: PixelPointers, stage: Stage) => void,
): void {
  const { inner } = c.layout;
  const tapBytes = inner * passBytes;
  const taps = [
    { count: vertical.taps, splat: vertical.tapStep, vector: vertical.weightStep * tapBytes },
    { count: horizontal.taps, splat: horizontal.tapStep, vector: horizontal.weightStep * tapBytes },
  ];
  if (start !== 'output') pixels(from, { start, levels: [], relu: false });
  emitBlocks(b, taps, from, (tap) => {
    for (const part of fullParts(inner, c.sumBlock!)) {
      const steps = (count: number) => ({ source: 4 * count, weight: passBytes * count, output: 0 });
      const levels = [{ count: part.size, splat: 4, vector: passBytes }];
      const sum = (at: PixelPointers) => pixels(at, { start: 'zero', levels, relu: false, adds: true });
      move(b, part.count, tap, steps(part.size), sum, steps(part.start));
    }
  });
  if (c.relu) pixels(from, { start: 'output', levels: [], relu: true });
}

/** The reduction of a grid's pixels as levels, and where its weights begin; no levels where no tap reaches them. */
function gridLevels({ vertical, horizontal }: TapGrid, inner: number, passBytes: number) {
  const tapBytes = inner * passBytes;
  const first = { source: 0, weight: (vertical.weightStart + horizontal.weightStart) * tapBytes, output: 0 };
  if (vertical.taps * horizontal.taps === 0) return { levels: [], first };
  const levels = mergeLevels([
    { count: vertical.taps, splat: vertical.tapStep, vector: vertical.weightStep * tapBytes },
    { count: horizontal.taps, splat: horizontal.tapStep, vector: horizontal.weightStep * tapBytes },
    { count: inner, splat: 4, vector: passBytes },
  ]);
  return { levels, first };
}

function emitBlocks(
  b: FunctionBuilder,
  outer: readonly Level[],
  from: PixelPointers,
  body: (at: PixelPointers) => void,
): void {
  const [level, ...rest] = outer;
  if (level === undefined) {
    body(from);
    return;
  }
  const cursors = [
    { from: from.source, step: level.splat },
    { from: from.weight, step: level.vector },
  ];
  walk(b, level.count, cursors, ([source, weight]) => {
    emitBlocks(b, rest, { ...from, source: source!, weight: weight! }, body);
  });
}

function emitStage(
  b: FunctionBuilder,
  c: PanelContraction,
  images: ImageLoop,
  grid: TapGrid,
  from: PixelPointers,
  lanes: number,
  stage: Stage,
  target: Target,
): void {
  if (images === 'outermost') emitGrid(b, grid, from, lanes, stage, target);
  else if (images === 'in each block') {
    walkImages(b, c, from, (image) => emitGrid(b, grid, image, lanes, stage, target));
  } else {
    const first = { source: grid.vertical.sourceStart + grid.horizontal.sourceStart, weight: 0, output: 0 };
    const steps = { source: c.sourceImage, output: c.outputImage };
    moveBy(b, from, first, (pixel) => emitSamples(b, c.count, steps, pixel, lanes, stage, target));
  }
}

/** Walks all pointers at once. */
function move(
  b: FunctionBuilder,
  count: number,
  from: PixelPointers,
  step: Steps,
  body: (at: PixelPointers) => void,
  offset: Steps = { source: 0, weight: 0, output: 0 },
): void {
  const cursors = [
    { from: from.source, offset: offset.source, step: step.source },
    { from: from.weight, offset: offset.weight, step: step.weight },
    { from: from.output, offset: offset.output, step: step.output },
    ...(from.bias ? [{ from: from.bias, offset: offset.output, step: step.output }] : []),
  ];
  walk(b, count, cursors, ([source, weight, output, bias]) => {
    body({ source: source!, weight: weight!, output: output!, bias });
  });
}

/** Moves all pointers once. */
function moveBy(
  b: FunctionBuilder,
  from: PixelPointers,
  offset: Steps,
  body: (at: PixelPointers) => void,
): void {
  move(b, 1, from, offset, body, offset);
}
