/** Data sets over arrays in memory whose samples have several tensors, by name. */
import { ShapeError } from '../errors.ts';
import { elementCount, formatShape, type Shape } from '../tensor/shape.ts';
import { bytesOf, gather, resolveTargets } from './array-dataset.ts';
import { checkIndices, checkInput, type Normalization, targetLength } from './dataset.ts';
import { checkNamedDataset, entriesOf, type NamedDataset } from './named-dataset.ts';

/** An input of all samples in one array. */
export interface NamedInput {
  /** [size, ...shape], flat. Bytes stay bytes until the engine normalises them. */
  readonly values: Uint8Array | Float32Array;
  /** Of one sample: [H, W, C], [L, C] or [F]. */
  readonly shape: Shape;
  /** Default: none. */
  readonly normalization?: Normalization;
}

/** A target of all samples in one array. */
export interface NamedTarget {
  /** A Float32Array is dense ([size, ...shape]); any other list of integers is class indices [size, ...shape]. */
  readonly values: Int32Array | Uint8Array | readonly number[] | Float32Array;
  /** Of one sample's target. Default: [values.length / size] of dense ones, one index of classes. */
  readonly shape?: Shape;
  /** Number of classes, of indices; default: the largest index + 1. */
  readonly classes?: number;
}

/** Options of `namedDataset`. */
export interface NamedDatasetOptions {
  readonly inputs: Readonly<Record<string, NamedInput>>;
  readonly targets: Readonly<Record<string, NamedTarget>>;
}

/**
 * A data set over arrays in memory, which are kept, not copied: `arrayDataset` for models with several inputs.
 *
 *     namedDataset({
 *       inputs: { image: { values: pixels, shape: [32, 32, 3] }, meta: { values: numbers, shape: [4] } },
 *       targets: { label: { values: labels } },
 *     });
 *
 * Throws ShapeError where lengths do not fit, DataError for a label outside the classes, ConfigError for options
 * without sense.
 */
export function namedDataset(options: NamedDatasetOptions): NamedDataset {
  const operation = 'namedDataset';
  const inputs = entriesOf(operation, 'inputs', options.inputs);
  const sizes = inputs.map(([name, { values, shape }]) => {
    checkInput(operation, `inputs.${name}`, { shape, type: typeOf(values) });
    return values.length / elementCount(shape);
  });
  const size = sizes[0]!;
  inputs.forEach(([name, { values, shape }], i) => {
    if (Number.isInteger(sizes[i]) && sizes[i] === size) return;
    const each = elementCount(shape);
    throw new ShapeError({
      operation,
      argument: `inputs.${name}`,
      expected: `${i === 0 ? `a multiple of ${each}` : size * each} elements, ${each} a sample ${formatShape(shape)}`,
      received: String(values.length),
    });
  });
  const targets = entriesOf(operation, 'targets', options.targets).map(([name, target]) => {
    const { values, shape, classes } = target;
    const given = { targets: values, ...(shape && { targetShape: shape }), ...(classes && { classes }) };
    return [name, resolveTargets(`${operation} targets.${name}`, given, size)] as const;
  });
  const columns = [
    ...inputs.map(([name, { values, shape }]) => ({
      kind: 'inputs',
      name,
      values,
      each: elementCount(shape),
    })),
    ...targets.map(([name, { kind, values }]) => ({
      kind: 'targets',
      name,
      values,
      each: targetLength(kind),
    })),
  ].map((column) => ({ ...column, bytes: bytesOf(column.values) }));
  const dataset: NamedDataset = {
    size,
    inputs: Object.fromEntries(
      inputs.map(([name, { values, shape, normalization }]) => [
        name,
        { shape, type: typeOf(values), ...(normalization && { normalization }) },
      ]),
    ),
    targets: Object.fromEntries(targets.map(([name, { kind }]) => [name, kind])),
    read(indices, into) {
      checkIndices('namedDataset.read', size, indices);
      for (const { kind, name, values, bytes, each } of columns) {
        gather(values, bytes, each, indices, into[kind as 'inputs' | 'targets'][name]!);
      }
    },
  };
  checkNamedDataset(operation, dataset);
  return dataset;
}

function typeOf(values: Uint8Array | Float32Array): 'uint8' | 'float32' {
  return values instanceof Uint8Array ? 'uint8' : 'float32';
}
