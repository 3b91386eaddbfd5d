/**
 * Axes in another order.
 *   input [n_1, n_2, n_3] (or two, or one), output [n_dims[0], n_dims[1], n_dims[2]]
 *   forward:  axis i of y is axis dims[i] of x; backward: dX is dY with its axes back in place
 * Copies of views: whole pixels where the channels stay last; else two of the axes at a time, for each index of the
 * third, the shortest.
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';
import { type BufferRef, defineLayer, type ForwardContext, type TensorRef } from './layer.ts';

export interface PermuteOptions {
  /** The input's axes, from 1 on, in the order of the output's; the batch is not counted. */
  readonly dims: readonly number[];
}

/** An axis as both tensors see it; strides in elements. */
interface Axis {
  readonly extent: number;
  readonly input: number;
  readonly output: number;
}

type Side = 'input' | 'output';

/** The strides of a tensor's axes. */
function stridesOf({ shape, view }: TensorRef): readonly number[] {
  return [view.rowStride, view.pixelStride, 1].slice(3 - shape.length);
}

/** An image whose rows, columns and channels are three axes of a tensor, the channels next to each other. */
function viewOfAxes({ imageStride }: View, side: Side, rows: Axis, columns: Axis, channels: number): View {
  const strides = { pixelStride: columns[side], rowStride: rows[side], imageStride };
  return { height: rows.extent, width: columns.extent, channels, ...strides, halo: 0 };
}

/** Copies `input` to `output`, or back where `reverse`. */
function permuteTensor(
  { call }: Pick<ForwardContext<unknown>, 'call'>,
  dims: readonly number[],
  tensors: Readonly<Record<Side, TensorRef>>,
  reverse: boolean,
  accumulate: boolean,
): void {
  const { input, output } = tensors;
  const inputStrides = stridesOf(input);
  const outputStrides = stridesOf(output);
  const all = dims.map((dim, i): Axis => {
    return { extent: output.shape[i]!, input: inputStrides[dim - 1]!, output: outputStrides[i]! };
  });
  const axes = [...Array<Axis>(3 - all.length).fill({ extent: 1, input: 0, output: 0 }), ...all];
  const channels = axes[2]!;
  const staysLast = channels.input === 1 && channels.output === 1;
  const loop = staysLast
    ? undefined
    : axes.reduce((least, axis) => (axis.extent < least.extent ? axis : least));
  const [rows, columns] = axes.filter((axis) => axis !== (loop ?? channels)) as [Axis, Axis];
  const depth = staysLast ? channels.extent : 1;
  const view = (side: Side) => viewOfAxes(tensors[side].view, side, rows, columns, depth);
  const [from, to]: [Side, Side] = reverse ? ['output', 'input'] : ['input', 'output'];
  const spec: CopyViewSpec = { kind: 'copyView', input: view(from), output: view(to), accumulate };
  const at = (side: Side, index: number): BufferRef => {
    const { buffer, offsetBytes } = tensors[side].origin;
    return { buffer, offsetBytes: offsetBytes + 4 * index * (loop?.[side] ?? 0) };
  };
  for (let index = 0; index < (loop?.extent ?? 1); index++)
    call(spec, [at(from, index), at(to, index), 'count']);
}

function checkDims(operation: string, dims: readonly number[]): readonly number[] {
  const right =
    Array.isArray(dims) && dims.length >= 1 && dims.length <= 3 && dims.every((_, i) => dims.includes(i + 1));
  if (right) return [...dims];
  throw new ConfigError({
    operation,
    argument: 'dims',
    expected: 'the numbers from 1 to that of the axes, at most 3, each once',
    received: formatValue(dims),
  });
}

/**
 * The axes of each sample in another order. Option as in Keras: dims, counted from 1, such as [2, 1, 3] for images on
 * their side. Throws ConfigError for anything but a permutation, ShapeError for inputs of another number of axes.
 */
export const permute = defineLayer<PermuteOptions, PermuteOptions>({
  type: 'permute',
  resolve: ({ dims }, operation) => ({ dims: checkDims(operation, dims) }),
  outputShape({ dims }, [input], operation): Shape {
    if (input!.length === dims.length) return dims.map((dim) => input![dim - 1]!);
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: `${dims.length} ${dims.length === 1 ? 'axis' : 'axes'}, as many as dims`,
      received: formatShape(input!),
    });
  },
  forward(context) {
    const { config, inputs, output } = context;
    permuteTensor(context, config.dims, { input: inputs[0]!, output }, false, false);
  },
  backward(context) {
    const { config, gradOutput } = context;
    const gradInput = context.gradInput();
    if (gradInput === undefined) return;
    permuteTensor(context, config.dims, { input: gradInput, output: gradOutput }, true, gradInput.accumulate);
  },
  examples: [
    { options: { dims: [2, 1, 3] }, inputShape: [3, 4, 5] },
    { options: { dims: [3, 1, 2] }, inputShape: [2, 5, 9] },
    { options: { dims: [2, 1] }, inputShape: [4, 3] },
  ],
});
