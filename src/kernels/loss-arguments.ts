/**
 * What the kernels of losses over images share: their arguments, and the layout of targets.
 *
 *   input        [n, H, W, C], what the model returns
 *   targets      'index': i32 [n, H, W], the class of each pixel; 'dense': f32 [n, H, W, C]
 *   sampleScale  [n], what a sample's gradient is multiplied by: its weight over the batch's size, usually
 *   gradInput    [n, H, W, C], an argument only where the spec has `gradInput`
 *   losses       f64 [n], not scaled
 *   correct      i32 [n]
 *
 * A vector [n, C] is an image of one pixel.
 */
import { ShapeError } from '../errors.ts';
import { denseView, type View } from '../tensor/view.ts';
import type { BufferArg, KernelArg } from './kernel.ts';
import { checkSameImages, viewBuffer } from './pixels.ts';

export interface LossViews {
  readonly input: View;
  /** Where the gradient goes, an image of the input's size; undefined in evaluation. */
  readonly gradInput?: View;
  readonly targets: 'index' | 'dense';
}

/** The arguments in order; `more` lie between the targets and the scales, `last` behind `correct`. */
export function lossArguments(
  spec: LossViews,
  {
    more = [],
    last = [],
  }: { readonly more?: readonly KernelArg[]; readonly last?: readonly KernelArg[] } = {},
): readonly KernelArg[] {
  const { input, gradInput, targets } = spec;
  const elements = targetView(spec).imageStride;
  return [
    viewBuffer('input', 'in', input),
    {
      name: 'targets',
      access: 'in',
      type: targets === 'index' ? 'i32' : 'f32',
      length: (count) => count * elements,
    },
    ...more,
    perSample('sampleScale', 'in', 'f32'),
    ...(gradInput === undefined ? [] : [viewBuffer('gradInput', 'out', gradInput)]),
    perSample('losses', 'out', 'f64'),
    perSample('correct', 'out', 'i32'),
    ...last,
    { name: 'count', access: 'count' },
  ];
}

/** A number a sample. */
export function perSample(name: string, access: 'in' | 'out', type: BufferArg['type']): BufferArg {
  return { name, access, type, length: (count) => count };
}

/** How targets lie: pixels without gaps, of one class index or C values each. */
export function targetView({ input, targets }: LossViews): View {
  return denseView(input.height, input.width, targets === 'index' ? 1 : input.channels);
}

/** Throws ShapeError unless the gradient has the input's size. */
export function checkLossViews(operation: string, { input, gradInput }: LossViews): void {
  if (gradInput !== undefined) checkSameImages(operation, { input, gradInput });
}

/** Throws ShapeError unless targets given by an index have one channel: two classes. */
export function checkBinary(operation: string, { input, targets }: LossViews): void {
  if (targets === 'dense' || input.channels === 1) return;
  throw new ShapeError({
    operation,
    argument: 'input',
    expected: 'one channel where targets are class indices',
    received: String(input.channels),
  });
}

/** The arguments by name: byte offsets, 0 for those that a spec does not have. */
export function namedArguments(args: readonly KernelArg[], values: readonly number[]) {
  return Object.fromEntries(args.map(({ name }, i) => [name, values[i]! >>> 0])) as Record<string, number>;
}
