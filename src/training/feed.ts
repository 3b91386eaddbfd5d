/** A data set as a model takes it: its tensors in the order of the model's inputs and outputs. */
import {
  checkDataset,
  type Dataset,
  type InputDescription,
  type Targets,
  targetLength,
} from '../data/dataset.ts';
import { checkNamedDataset, isNamed, type NamedDataset } from '../data/named-dataset.ts';
import { ConfigError, ShapeError } from '../errors.ts';
import type { Graph } from '../model/graph.ts';
import { elementCount, formatShape, sameShape } from '../tensor/shape.ts';

/** Samples of several tensors, in order. */
export interface Feed {
  readonly size: number;
  /** One for each input of the model. */
  readonly inputs: readonly FeedInput[];
  /** One, which all outputs learn, or one for each output; none where only inputs are known. */
  readonly targets: readonly Targets[];
  readonly targetNames: readonly string[];
  /** As the data set's, into arrays in the order of `inputs` and `targets`. */
  read(
    indices: Uint32Array,
    inputs: readonly (Uint8Array | Float32Array)[],
    targets: readonly (Int32Array | Float32Array)[],
  ): void | Promise<void>;
}

export interface FeedInput extends InputDescription {
  /** The model's name for it. */
  readonly name: string;
}

/**
 * A data set as the inputs of a graph. Throws ConfigError and ShapeError, naming the input, where they do not fit
 * together.
 */
export function feedOf(operation: string, graph: Graph, dataset: Dataset | NamedDataset): Feed {
  const feed = isNamed(dataset)
    ? namedFeed(operation, graph, dataset)
    : singleFeed(operation, graph, dataset);
  if (feed.size > 0) return feed;
  const expected = 'at least one sample';
  throw new ConfigError({ operation, argument: 'dataset', expected, received: 'none' });
}

function singleFeed(operation: string, graph: Graph, dataset: Dataset): Feed {
  checkDataset(operation, dataset);
  const { size, inputShape, inputType, normalization } = dataset;
  if (graph.inputs.length > 1) {
    throw new ConfigError({
      operation,
      argument: 'dataset',
      expected: `the inputs ${describeInputs(graph)}`,
      received: `one input ${formatShape(inputShape)}`,
      hint: 'give a data set with inputs by name, such as namedDataset makes',
    });
  }
  checkShapes(operation, 'dataset.inputShape', graph, 0, { shape: inputShape });
  const name = graph.inputNames[0]!;
  return {
    size,
    inputs: [{ name, shape: inputShape, type: inputType, ...(normalization && { normalization }) }],
    targets: [dataset.targets],
    targetNames: ['targets'],
    read: (indices, [inputs], [targets]) => dataset.read(indices, { inputs: inputs!, targets: targets! }),
  };
}

function namedFeed(operation: string, graph: Graph, dataset: NamedDataset): Feed {
  checkNamedDataset(operation, dataset);
  const { inputNames } = graph;
  checkInputNames(operation, 'dataset.inputs', graph, dataset.inputs);
  const inputs = inputNames.map((name, i) => {
    const description = dataset.inputs[name]!;
    checkShapes(operation, `dataset.inputs.${name}`, graph, i, description);
    return { ...description, name };
  });
  const given = Object.keys(dataset.targets);
  const { outputNames } = graph;
  const inOrder = given.length === outputNames.length && outputNames.every((name) => given.includes(name));
  const targetNames = inOrder ? outputNames : given;
  return {
    size: dataset.size,
    inputs,
    targets: targetNames.map((name) => dataset.targets[name]!),
    targetNames,
    read: (indices, arrays, targets) =>
      dataset.read(indices, {
        inputs: Object.fromEntries(inputNames.map((name, i) => [name, arrays[i]!])),
        targets: Object.fromEntries(targetNames.map((name, i) => [name, targets[i]!])),
      }),
  };
}

/**
 * A feed with the targets of these outputs alone, in their order; one that all learn stays. Throws ConfigError where one
 * of them has none, or where there are targets of what is no output.
 */
export function feedOfTargets(
  operation: string,
  { outputNames }: Graph,
  feed: Feed,
  learning: readonly string[],
): Feed {
  const { targets, targetNames } = feed;
  const isShared =
    targets.length === 1 && (learning.includes(targetNames[0]!) || !outputNames.includes(targetNames[0]!));
  if (isShared) return feed;
  const all = learning.length === outputNames.length;
  const strange = targetNames.some((name) => !outputNames.includes(name));
  if (strange || learning.some((name) => !targetNames.includes(name))) {
    throw new ConfigError({
      operation,
      argument: 'dataset.targets',
      expected: `one for each of the outputs ${all ? '' : 'with losses '}${learning.join(', ')}`,
      received: targetNames.join(', ') || 'none',
    });
  }
  const places = learning.map((name) => targetNames.indexOf(name));
  return {
    ...feed,
    targets: places.map((place) => targets[place]!),
    targetNames: learning,
    read(indices, inputs, into) {
      const every = targets.map((target, place) => {
        const wanted = places.indexOf(place);
        if (wanted >= 0) return into[wanted]!;
        // The data set writes all that it has.
        const length = indices.length * targetLength(target);
        return target.kind === 'index' ? new Int32Array(length) : new Float32Array(length);
      });
      return feed.read(indices, inputs, every);
    },
  };
}

/**
 * Floats [N, ...shape] as the inputs of a graph: of the only input, or by name. They are taken as they are; there are
 * no targets. Throws ConfigError and ShapeError, naming the input.
 */
export function feedOfArrays(
  operation: string,
  graph: Graph,
  arrays: Float32Array | Readonly<Record<string, Float32Array>>,
): Feed {
  const { inputNames } = graph;
  const single = arrays instanceof Float32Array;
  if (single && inputNames.length > 1) {
    throw new ConfigError({
      operation,
      argument: 'inputs',
      expected: `arrays by name for ${describeInputs(graph)}`,
      received: 'one array',
    });
  }
  if (!single) checkInputNames(operation, 'inputs', graph, arrays);
  const values = inputNames.map((name) => (single ? arrays : arrays[name]!));
  const shapes = graph.inputs.map((index) => graph.tensors[index]!);
  const size = values[0]!.length / elementCount(shapes[0]!);
  values.forEach((array, i) => {
    const each = elementCount(shapes[i]!);
    const argument = single ? 'inputs' : `inputs.${inputNames[i]}`;
    const fits = array instanceof Float32Array && array.length === size * each;
    if (fits && Number.isInteger(size) && size > 0) return;
    const expected =
      i === 0
        ? `a multiple of ${each} floats`
        : `${size * each} floats, ${size} samples ${formatShape(shapes[i]!)}`;
    const received = array instanceof Float32Array ? String(array.length) : typeof array;
    throw new ShapeError({ operation, argument, expected, received });
  });
  return {
    size,
    inputs: shapes.map((shape, i) => ({ name: inputNames[i]!, shape, type: 'float32' })),
    targets: [],
    targetNames: [],
    read(indices, into) {
      values.forEach((array, i) => {
        const each = elementCount(shapes[i]!);
        indices.forEach((index, at) => {
          into[i]!.set(array.subarray(index * each, (index + 1) * each), at * each);
        });
      });
    },
  };
}

/** Throws ConfigError unless the names are those of a graph's inputs. */
export function checkInputNames(operation: string, argument: string, graph: Graph, given: object): void {
  const names = Object.keys(given);
  const { inputNames } = graph;
  if (names.length === inputNames.length && inputNames.every((name) => Object.hasOwn(given, name))) return;
  throw new ConfigError({
    operation,
    argument,
    expected: `the inputs ${describeInputs(graph)}`,
    received: names.length === 0 ? 'none' : names.join(', '),
  });
}

function checkShapes(
  operation: string,
  argument: string,
  graph: Graph,
  index: number,
  { shape }: Pick<InputDescription, 'shape'>,
): void {
  const wanted = graph.tensors[graph.inputs[index]!]!;
  if (sameShape(shape, wanted)) return;
  throw new ShapeError({ operation, argument, expected: formatShape(wanted), received: formatShape(shape) });
}

/** The inputs of a graph with their shapes, for messages. */
function describeInputs({ inputs, inputNames, tensors }: Graph): string {
  return inputs.map((index, i) => `${inputNames[i]} ${formatShape(tensors[index]!)}`).join(', ');
}
