/**
 * Bilinear resizing to a whole multiple, with half-pixel centres, as Keras' and PyTorch's (align_corners: false): along
 * each axis, output s*i + a lies at t = (a + 1/2)/s - 1/2 from input i, and is
 *
 *   (1 + t) x_i - t x_{i-1} where t < 0,   x_i where t = 0,   (1 - t) x_i + t x_{i+1} where t > 0
 *
 * at the borders x_i itself. Factors are rounded to f32, then each product and each sum. Rows first, into an image of
 * the layer's own, then columns. The gradient goes the same way back: its sums run over a ascending, input i before its
 * neighbour.
 */
import type { ScaleViewSpec } from '../kernels/scale-view.ts';
import { copyTensor } from './add.ts';
import { innerTensor } from './inner-tensor.ts';
import type { ForwardContext, GradientRef, TensorRef } from './layer.ts';
import { type Lattice, subImage } from './sub-image.ts';

/** Outputs s*i + phase for i from `from` to `to` take factor times input i + shift. */
interface Tap {
  readonly phase: number;
  readonly from: number;
  readonly to: number;
  readonly shift: number;
  readonly factor: number;
}

type Calls = Pick<ForwardContext<unknown>, 'call' | 'saved'>;
type Axis = 'rows' | 'columns';

const f = Math.fround;

/** The taps of an axis of `extent` inputs: of each phase first those that no output had before. */
function tapsOf(extent: number, size: number): Tap[] {
  const taps: Tap[] = [];
  for (let phase = 0; phase < size; phase++) {
    const t = (phase + 0.5) / size - 0.5;
    const last = extent - 1;
    if (t === 0) taps.push({ phase, from: 0, to: extent, shift: 0, factor: 1 });
    else if (t < 0) {
      taps.push({ phase, from: 0, to: 1, shift: 0, factor: 1 });
      taps.push({ phase, from: 1, to: extent, shift: 0, factor: f(1 + t) });
      taps.push({ phase, from: 1, to: extent, shift: -1, factor: f(-t) });
    } else {
      taps.push({ phase, from: 0, to: last, shift: 0, factor: f(1 - t) });
      taps.push({ phase, from: last, to: extent, shift: 0, factor: 1 });
      taps.push({ phase, from: 0, to: last, shift: 1, factor: f(t) });
    }
  }
  return taps.filter(({ from, to }) => from < to);
}

/** to = factor * from, or to + factor * from. */
function scaleTensor(
  { call }: Calls,
  from: TensorRef,
  to: TensorRef,
  factor: number,
  accumulate: boolean,
): void {
  if (factor === 1) {
    copyTensor({ call }, from, to, accumulate);
    return;
  }
  const spec: ScaleViewSpec = { kind: 'scaleView', input: from.view, output: to.view, factor, accumulate };
  call(spec, [from.origin, to.origin, 'count']);
}

/** Pixels of an image along one axis. */
function along(image: TensorRef, axis: Axis, start: number, count: number, step: number): TensorRef {
  const { height, width } = image.view;
  const rows: Lattice = { top: start, left: 0, height: count, width, stepY: step, stepX: 1 };
  const columns: Lattice = { top: 0, left: start, height, width: count, stepY: 1, stepX: step };
  return subImage(image, axis === 'rows' ? rows : columns);
}

/** The pixels of a tap: in the larger image and in the smaller one. */
function pixelsOf(tap: Tap, axis: Axis, size: number, small: TensorRef, large: TensorRef) {
  const { phase, from, to, shift } = tap;
  return {
    large: along(large, axis, size * from + phase, to - from, size),
    small: along(small, axis, from + shift, to - from, 1),
  };
}

function enlarge(context: Calls, axis: Axis, size: number, small: TensorRef, large: TensorRef): void {
  for (const tap of tapsOf(axis === 'rows' ? small.view.height : small.view.width, size)) {
    const pixels = pixelsOf(tap, axis, size, small, large);
    scaleTensor(context, pixels.small, pixels.large, tap.factor, tap.shift !== 0);
  }
}

/** The adjoint of `enlarge`, added where `accumulate`. Phase 0 meets every pixel of `small` once without its neighbour. */
function gather(context: Calls, axis: Axis, size: number, large: TensorRef, small: GradientRef): void {
  for (const tap of tapsOf(axis === 'rows' ? small.view.height : small.view.width, size)) {
    const pixels = pixelsOf(tap, axis, size, small, large);
    const isFirst = tap.phase === 0 && tap.shift === 0;
    scaleTensor(context, pixels.large, pixels.small, tap.factor, small.accumulate || !isFirst);
  }
}

/** output = input resized. */
export function resizeBilinear(
  context: Calls,
  [sizeY, sizeX]: readonly [number, number],
  input: TensorRef,
  output: TensorRef,
): void {
  if (sizeX === 1) {
    enlarge(context, 'rows', sizeY, input, output);
    return;
  }
  const { height, width, channels } = input.view;
  const rows = sizeY === 1 ? input : innerTensor(context, 'rows', [sizeY * height, width, channels]);
  if (sizeY > 1) enlarge(context, 'rows', sizeY, input, rows);
  enlarge(context, 'columns', sizeX, rows, output);
}

/** gradInput = the adjoint of `resizeBilinear` on gradOutput. */
export function resizeBilinearBackward(
  context: Calls,
  [sizeY, sizeX]: readonly [number, number],
  gradOutput: TensorRef,
  gradInput: GradientRef,
): void {
  if (sizeY === 1) {
    gather(context, 'columns', sizeX, gradOutput, gradInput);
    return;
  }
  const { height, width, channels } = gradInput.view;
  const rows = sizeX === 1 ? gradOutput : innerTensor(context, 'gradRows', [sizeY * height, width, channels]);
  if (sizeX > 1) gather(context, 'columns', sizeX, gradOutput, { ...rows, accumulate: false });
  gather(context, 'rows', sizeY, rows, gradInput);
}
