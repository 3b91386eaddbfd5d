/**
 * Data sets in memory: `arrayDataset` over typed arrays, `subset` over chosen samples of another data set.
 *
 * Inputs [size, H, W, C] (NHWC); targets [size] class indices or [size, ...shape] floats. Arrays are kept,
 * not copied: they may lie in a SharedArrayBuffer, and changing them changes the data.
 */
import { Buffer } from 'node:buffer';
import { ConfigError, DataError, ShapeError } from '../errors.ts';
import { checkInputShape, checkShape, elementCount, formatShape, type Shape } from '../tensor/shape.ts';
import {
  type BatchBuffer,
  checkDataset,
  checkIndices,
  checkLabels,
  checkRead,
  type Dataset,
  type Normalization,
  type Targets,
  targetLength,
} from './dataset.ts';
import { isNamed, type NamedDataset } from './named-dataset.ts';

/** Options of `arrayDataset`. */
export interface ArrayDatasetOptions {
  /** Images [size, H, W, C], flat. Bytes stay bytes until the engine normalises them. */
  readonly inputs: Uint8Array | Float32Array;
  /** One image, [H, W, C]. */
  readonly inputShape: Shape;
  /** A Float32Array is dense ([size, ...targetShape]); any other list of integers is class indices [size]. */
  readonly targets: Int32Array | Uint8Array | readonly number[] | Float32Array;
  /** Number of classes. Default: as many as there are names, else the largest index + 1. */
  readonly classes?: number;
  /** Shape of one dense target; default: [targets.length / size]. With class indices: [H, W] of a mask, default none. */
  readonly targetShape?: Shape;
  readonly classNames?: readonly string[];
  /** Default: none. */
  readonly normalization?: Normalization;
}

/**
 * A data set over arrays in memory.
 * Throws ShapeError where lengths do not fit, DataError for a label outside the classes, ConfigError for
 * options without sense.
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  const operation = 'arrayDataset';
  const { inputs, inputShape } = options;
  checkInputShape(operation, 'inputShape', inputShape);
  const inputLength = elementCount(inputShape);
  const size = inputs.length / inputLength;
  if (!Number.isInteger(size)) {
    throw new ShapeError({
      operation,
      argument: 'inputs',
      expected: `a multiple of ${inputLength} elements, one image ${formatShape(inputShape)}`,
      received: String(inputs.length),
    });
  }
  const { kind, values } = resolveTargets(operation, options, size);
  const [inputBytes, targetBytes] = [bytesOf(inputs), bytesOf(values)];
  const dataset: Dataset = {
    size,
    inputShape,
    inputType: inputs instanceof Uint8Array ? 'uint8' : 'float32',
    targets: kind,
    ...(options.classNames && { classNames: options.classNames }),
    ...(options.normalization && { normalization: options.normalization }),
    read(indices, into) {
      checkRead('arrayDataset.read', dataset, indices, into);
      gather(inputs, inputBytes, inputLength, indices, into.inputs);
      gather(values, targetBytes, targetLength(kind), indices, into.targets);
    },
  };
  checkDataset(operation, dataset);
  return dataset;
}

/**
 * Some samples of a data set, in the order given: sample i is the parent's sample chosen[i].
 * A number n stands for the first n samples (all of them where there are fewer). Of a `NamedDataset` it is one, too.
 * Throws DataError for an index outside the parent, ConfigError for a senseless count.
 */
export function subset(dataset: Dataset, chosen: Uint32Array | readonly number[] | number): Dataset;
export function subset(dataset: NamedDataset, chosen: Uint32Array | readonly number[] | number): NamedDataset;
export function subset(
  dataset: Dataset | NamedDataset,
  chosen: Uint32Array | readonly number[] | number,
): Dataset | NamedDataset;
export function subset(
  dataset: Dataset | NamedDataset,
  chosen: Uint32Array | readonly number[] | number,
): Dataset | NamedDataset {
  const operation = 'subset';
  const list =
    typeof chosen === 'number' ? firstIndices(operation, dataset, chosen) : Uint32Array.from(chosen);
  for (let i = 0; i < list.length; i++) {
    const wanted = typeof chosen === 'number' ? i : (chosen[i] as number);
    if (list[i] !== wanted || wanted >= dataset.size) {
      throw new DataError({
        operation,
        argument: `indices[${i}]`,
        expected: `a sample index below ${dataset.size}`,
        received: String(wanted),
      });
    }
  }
  const parentOf = (indices: Uint32Array) => indices.map((index) => list[index] as number);
  if (isNamed(dataset)) {
    const part: NamedDataset = {
      size: list.length,
      inputs: dataset.inputs,
      targets: dataset.targets,
      read(indices, into) {
        checkIndices('subset.read', list.length, indices);
        return dataset.read(parentOf(indices), into);
      },
    };
    return part;
  }
  const view: Dataset = {
    size: list.length,
    inputShape: dataset.inputShape,
    inputType: dataset.inputType,
    targets: dataset.targets,
    ...(dataset.classNames && { classNames: dataset.classNames }),
    ...(dataset.normalization && { normalization: dataset.normalization }),
    ...(dataset.resize && { resize: dataset.resize }),
    read(indices: Uint32Array, into: BatchBuffer) {
      checkRead('subset.read', view, indices, into);
      return dataset.read(parentOf(indices), into);
    },
  };
  return view;
}

function firstIndices(operation: string, { size }: { readonly size: number }, count: number): Uint32Array {
  if (!Number.isInteger(count) || count < 0) {
    throw new ConfigError({
      operation,
      argument: 'count',
      expected: 'a whole number of samples, 0 or more',
      received: String(count),
    });
  }
  return Uint32Array.from({ length: Math.min(count, size) }, (_, i) => i);
}

/** How targets are stored, and their values as they are read. Throws ShapeError, DataError. */
export function resolveTargets(
  operation: string,
  options: Pick<ArrayDatasetOptions, 'targets' | 'targetShape' | 'classes' | 'classNames'>,
  size: number,
): { kind: Targets; values: Int32Array | Float32Array } {
  const { targets } = options;
  if (targets instanceof Float32Array) {
    const shape = options.targetShape ?? [targets.length / Math.max(1, size)];
    checkShape(operation, 'targetShape', shape);
    checkTargetCount(operation, targets.length, size * elementCount(shape));
    return { kind: { kind: 'dense', shape }, values: targets };
  }
  const shape = options.targetShape;
  if (shape !== undefined) checkShape(operation, 'targetShape', shape);
  checkTargetCount(operation, targets.length, size * elementCount(shape ?? []));
  let largest = -1;
  for (let i = 0; i < targets.length; i++) largest = Math.max(largest, targets[i] as number);
  const classes = options.classes ?? options.classNames?.length ?? largest + 1;
  checkLabels(operation, targets, classes);
  const values = targets instanceof Int32Array ? targets : Int32Array.from(targets);
  return { kind: { kind: 'index', classes, ...(shape && { shape }) }, values };
}

function checkTargetCount(operation: string, received: number, expected: number): void {
  if (received === expected) return;
  throw new ShapeError({
    operation,
    argument: 'targets',
    expected: `${expected} elements, as there are images`,
    received: String(received),
  });
}

/** Records shorter than this are copied element by element. */
const SHORT_RECORD = 32;

/** Copies records of `length` elements; both arrays have the same element type. Makes no garbage per record. */
export function gather(
  from: Uint8Array | Float32Array | Int32Array,
  bytes: Buffer,
  length: number,
  indices: Uint32Array,
  to: Uint8Array | Float32Array | Int32Array,
): void {
  if (length < SHORT_RECORD) {
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i]! * length;
      for (let j = 0; j < length; j++) to[i * length + j] = from[start + j]!;
    }
    return;
  }
  const target = bytesOf(to);
  const record = length * from.BYTES_PER_ELEMENT;
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * record;
    bytes.copy(target, i * record, start, start + record);
  }
}

/** An array's memory as bytes, shared. */
export function bytesOf(array: Uint8Array | Float32Array | Int32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
