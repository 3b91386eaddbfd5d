/**
 * Parameters of PyTorch in this project's layouts.
 *
 *   convolution            weight [K, C/groups, kh, kw] -> [kh, kw, C/groups, K]
 *   transposed convolution weight [C, K/groups, kh, kw] -> [kh, kw, K/groups, C]
 *   dense                  weight [out, in] -> [in, out]; behind a flatten of [H, W, C], whose order in PyTorch is
 *                          C, H, W, the rows are put in the order H, W, C
 *   batch normalisation    weight, bias, running_mean, running_var -> gamma, beta, movingMean, movingVariance
 */
import { FormatError } from '../errors.ts';
import { type Graph, type GraphNode, parameterName } from '../model/graph.ts';
import { elementCount, formatShape, type Shape, sameShape } from '../tensor/shape.ts';
import { attempt, closing } from './atomic-write.ts';
import { type FileSystem, localFiles } from './file-system.ts';
import { readHeader, readTensorInto } from './safetensors-file.ts';
import { MAX_MODEL_HEADER_BYTES } from './safetensors-header.ts';

type Floats = Float32Array | Float64Array;

/** A tensor of a state_dict, row-major. */
export interface TorchTensor<T extends Floats = Float32Array> {
  readonly shape: Shape;
  readonly data: T;
}

/** Our parameters' names in PyTorch's modules. */
const NAMES: Readonly<Record<string, string>> = {
  weight: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  movingMean: 'running_mean',
  movingVariance: 'running_var',
  alpha: 'weight',
};

/** Of PyTorch's batch normalisation: how many batches it has seen, which nothing here needs. */
const COUNTER = /(^|\.)num_batches_tracked$/;

/**
 * The tensors of a safetensors file that has a state_dict, by name; counters of batches are left out. Throws FormatError
 * for a file that is no safetensors file or has other numbers than f32, FileError where it cannot be read.
 */
export async function readTorchState(
  file: string,
  { files = localFiles }: { readonly files?: FileSystem } = {},
): Promise<Map<string, TorchTensor>> {
  const operation = `readTorchState ${JSON.stringify(file)}`;
  const opened = await attempt(operation, file, 'to open it', () => files.open(file));
  return closing(operation, file, opened, async () => {
    const { tensors } = await readHeader(operation, file, opened, MAX_MODEL_HEADER_BYTES);
    const wanted = [...tensors.values()].filter(({ name }) => !COUNTER.test(name));
    const other = wanted.find(({ dtype }) => dtype !== 'F32');
    if (other !== undefined) {
      throw new FormatError({
        operation,
        argument: `tensor "${other.name}"`,
        expected: 'F32',
        received: other.dtype,
        hint: 'save the state_dict of model.float()',
      });
    }
    const state = new Map<string, TorchTensor>();
    for (const entry of wanted) {
      const data = new Float32Array(elementCount(entry.shape));
      await readTensorInto(operation, file, opened, entry, data);
      state.set(entry.name, { shape: entry.shape, data });
    }
    return state;
  });
}

/**
 * The parameters of a model, for `setWeights`, from a PyTorch module's state_dict. `moduleOf` gives the name of the
 * module there for a layer here. Throws FormatError unless the two have the same parameters in the same shapes.
 *
 *     const state = await readTorchState('resnet50.safetensors');
 *     model.setWeights(weightsFromTorch(model.graph, state, torchModules.resNet50));
 */
export function weightsFromTorch(
  graph: Graph,
  state: ReadonlyMap<string, TorchTensor>,
  moduleOf: (layer: string) => string,
): Record<string, Float32Array> {
  const unused = new Set([...state.keys()].filter((name) => !COUNTER.test(name)));
  const weights: Record<string, Float32Array> = {};
  for (const node of graph.nodes) {
    if (node.call > 0) continue;
    for (const spec of node.parameters) {
      const name = `${moduleOf(node.layerName)}.${NAMES[spec.name] ?? spec.name}`;
      unused.delete(name);
      const tensor = state.get(name);
      const target = parameterName(node, spec);
      if (tensor === undefined) throw wrong(`tensor "${name}"`, `what ${target} shall be`, 'none');
      weights[target] = fromTorchLayout(graph, node, spec.shape, name, tensor);
    }
  }
  const [strange] = unused;
  if (strange !== undefined) throw wrong('state', "the model's parameters alone", JSON.stringify(strange));
  return weights;
}

/** A parameter [wanted] of a node in this project's layout. Throws FormatError that names the tensor by its shape. */
export function fromTorchLayout<T extends Floats>(
  graph: Graph,
  node: GraphNode,
  wanted: Shape,
  name: string,
  { shape, data }: TorchTensor<T>,
): T {
  const order = axesOf(node, wanted);
  const expected = order.map((_, axis) => wanted[order.indexOf(axis)]!);
  if (!sameShape(shape, expected)) {
    throw wrong(`tensor "${name}"`, formatShape(expected), formatShape(shape));
  }
  const moved = permuted(data, shape, order);
  return node.layer.type === 'dense' ? rowsByPixel(moved, wanted, flattenedShape(graph, node)) : moved;
}

/** Which axis of PyTorch's tensor each of ours is. */
function axesOf({ layer }: GraphNode, wanted: Shape): readonly number[] {
  if (wanted.length === 4) return [2, 3, 1, 0];
  if (wanted.length === 2 && layer.type === 'dense') return [1, 0];
  return wanted.map((_, axis) => axis);
}

/** `data` [shape] with axis i of the result being axis order[i]. */
function permuted<T extends Floats>(data: T, shape: Shape, order: readonly number[]): T {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const result = data.slice() as T;
  let at = 0;
  const fill = (axis: number, from: number) => {
    const source = order[axis];
    if (source === undefined) {
      result[at++] = data[from]!;
      return;
    }
    const stride = strides[source]!;
    for (let i = 0; i < shape[source]!; i++) fill(axis + 1, from + i * stride);
  };
  fill(0, 0);
  return result;
}

/** [H, W, C] of the image whose flattened form a dense layer reads, or undefined. */
function flattenedShape({ nodes }: Graph, node: GraphNode): Shape | undefined {
  let source = nodes.find(({ output }) => output === node.inputs[0]);
  while (source?.layer.definition.trainingOnly) {
    const [from]: readonly number[] = source.inputs;
    source = nodes.find(({ output }) => output === from);
  }
  return source?.layer.type === 'flatten' ? source.inputShapes[0] : undefined;
}

/** Rows in the order C, H, W as rows in the order H, W, C; `weight` is [rows, units]. */
function rowsByPixel<T extends Floats>(weight: T, [, units]: Shape, image: Shape | undefined): T {
  if (image?.length !== 3) return weight;
  const [height, width, channels] = image as [number, number, number];
  const pixels = height * width;
  if (pixels === 1) return weight;
  const result = weight.slice() as T;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c++) {
      const from = (c * pixels + pixel) * units!;
      result.set(weight.subarray(from, from + units!), (pixel * channels + c) * units!);
    }
  }
  return result;
}

function wrong(argument: string, expected: string, received: string): FormatError {
  return new FormatError({ operation: 'weightsFromTorch', argument, expected, received });
}
