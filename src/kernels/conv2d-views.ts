/** The check that all convolution kernels make: whether views fit a geometry. */
import { ConfigError, ShapeError } from '../errors.ts';
import { type ConvGeometry, gradOutputHalo, inputHalo } from '../tensor/convolution.ts';
import { formatShape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';

/** Throws ShapeError unless `view` is an image `[H, W, C]` of the convolution's input with `halo` zeros around. */
export function checkInputView(
  operation: string,
  argument: string,
  view: View,
  g: ConvGeometry,
  halo: number,
): void {
  checkView(operation, argument, view, [g.inHeight, g.inWidth, g.inChannels], halo);
  checkRows(operation, argument, view, g, halo);
}

/** Throws ShapeError unless `view` is an image `[Ho, Wo, K]` of the convolution's output with `halo` zeros around. */
export function checkOutputView(
  operation: string,
  argument: string,
  view: View,
  g: ConvGeometry,
  halo: number,
): void {
  checkView(operation, argument, view, [g.outHeight, g.outWidth, g.outChannels], halo);
  checkRows(operation, argument, view, g, halo);
}

/** Checks the two views of the forward pass and of the weight gradient: the input is read with its halo. */
export function checkForwardViews(
  operation: string,
  g: ConvGeometry,
  input: View,
  outputName: string,
  output: View,
): void {
  checkInputView(operation, 'input', input, g, inputHalo(g));
  checkOutputView(operation, outputName, output, g, 0);
}

/** Checks the two views of the input gradient: the output's gradient is read with its halo. */
export function checkBackwardViews(
  operation: string,
  g: ConvGeometry,
  gradOutput: View,
  gradInput: View,
): void {
  checkOutputView(operation, 'gradOutput', gradOutput, g, gradOutputHalo(g));
  checkInputView(operation, 'gradInput', gradInput, g, 0);
}

/** Throws ConfigError for a bias together with `accumulate`: a sum has one start. */
export function checkAccumulation(
  operation: string,
  { bias, accumulate }: { readonly bias: boolean; readonly accumulate?: boolean },
): void {
  if (!bias || !accumulate) return;
  throw new ConfigError({
    operation,
    argument: 'bias',
    expected: 'no bias where the result is accumulated',
    received: 'bias: true, accumulate: true',
  });
}

/** Throws ShapeError where a window of several rows would look for zeros above and below a sequence. */
function checkRows(operation: string, argument: string, view: View, g: ConvGeometry, halo: number): void {
  const { kernelHeight, padding } = g;
  const oneRow = kernelHeight === 1 && padding.top === 0 && padding.bottom === 0;
  if (halo === 0 || view.haloRows === undefined || oneRow) return;
  throw new ShapeError({
    operation,
    argument,
    expected: 'a halo of rows, too',
    received: 'a sequence, with zeros before and after it only',
  });
}

function checkView(
  operation: string,
  argument: string,
  view: View,
  shape: readonly [number, number, number],
  halo: number,
): void {
  const { height, width, channels } = view;
  if (height !== shape[0] || width !== shape[1] || channels !== shape[2]) {
    throw new ShapeError({
      operation,
      argument,
      expected: `images of ${formatShape(shape)}`,
      received: formatShape([height, width, channels]),
    });
  }
  if (view.halo < halo) {
    throw new ShapeError({
      operation,
      argument,
      expected: `a halo of at least ${halo} pixels`,
      received: String(view.halo),
      hint: 'the plan gives a view the halo of its widest consumer',
    });
  }
}
