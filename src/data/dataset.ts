/**
 * The contract of a data set: a size, and `read`, which copies chosen samples into a batch's buffers.
 *
 *   inputs   images [count, H, W, C] (NHWC), bytes 0..255 or floats
 *   targets  a class index a sample [count], or a dense tensor a sample [count, ...shape]
 *
 * Anything of this shape may be trained on: in memory, on disk, or a user's own. Pixels are handed over raw;
 * `normalization` says what the engine shall make of them.
 */
import { ConfigError, DataError, ShapeError } from '../errors.ts';
import { checkInputShape, checkShape, elementCount, formatShape, type Shape } from '../tensor/shape.ts';

/**
 * What becomes of the raw pixels x before the first layer, plain data:
 * - `none`: x
 * - `scale`: x / 255
 * - `standardize`: (x / 255 - mean[c]) / std[c], mean and std a channel, in units of 0..1
 * - `l2Rows`: x / sqrt(sum over the image's rows of x^2) for each column and channel; a column of zeros
 *   stays zero (the seed's notebook: `tf.keras.utils.normalize(axis=1)` on [N, H, W, C])
 */
export type Normalization =
  | { readonly kind: 'none' }
  | { readonly kind: 'scale' }
  | { readonly kind: 'standardize'; readonly mean: readonly number[]; readonly std: readonly number[] }
  | { readonly kind: 'l2Rows' };

/**
 * How images of other sizes are brought to a data set's, with their whole area weighed (bilinear, antialiased):
 * - `stretch`: both axes by factors of their own (Keras' default)
 * - `crop`: what is longer than the wanted proportions is cut off at both ends
 * - `pad`: the whole image, in the middle of black
 */
export type Resize = 'stretch' | 'crop' | 'pad';

/** One of a sample's inputs, as a data set stores it. */
export interface InputDescription {
  /** Of one sample: an image [H, W, C], a sequence [L, C] or a vector [F]. */
  readonly shape: Shape;
  readonly type: 'uint8' | 'float32';
  /** Default: none. */
  readonly normalization?: Normalization;
}

/** What a sample is to be taught: one of `classes` classes (one a pixel of `shape`, [H, W]), or a tensor of `shape`. */
export type Targets =
  | { readonly kind: 'index'; readonly classes: number; readonly shape?: Shape }
  | { readonly kind: 'dense'; readonly shape: Shape };

/** Where `read` writes. The arrays may lie in shared memory. */
export interface BatchBuffer {
  /** [count, H, W, C]; bytes or floats as the data set's `inputType` says. */
  readonly inputs: Uint8Array | Float32Array;
  /** Int32Array [count, ...shape] of class indices, or Float32Array [count, ...shape]. */
  readonly targets: Int32Array | Float32Array;
}

/** A data set. */
export interface Dataset {
  /** Number of samples. */
  readonly size: number;
  /** Shape of one sample: an image [H, W, C], a sequence [L, C] or a vector [F]. */
  readonly inputShape: Shape;
  readonly inputType: 'uint8' | 'float32';
  readonly targets: Targets;
  /** The classes' names by index. */
  readonly classNames?: readonly string[];
  /** Default: none. */
  readonly normalization?: Normalization;
  /** How the images were brought to `inputShape`; default: they had it. */
  readonly resize?: Resize;
  /**
   * Copies the samples `indices` (each below `size`, repeats allowed, any order) into `into`, sample i of the
   * batch being indices[i]; the arrays of `into` hold exactly indices.length samples.
   */
  read(indices: Uint32Array, into: BatchBuffer): void | Promise<void>;
}

/** Elements of one sample's target: 1 for a class index. */
export function targetLength(targets: Targets): number {
  return elementCount(targets.shape ?? []);
}

/** Buffers for `count` samples of a data set, on memory of their own. */
export function createBatchBuffer(dataset: Dataset, count: number): BatchBuffer {
  const inputs = count * elementCount(dataset.inputShape);
  const targets = count * targetLength(dataset.targets);
  return {
    inputs: dataset.inputType === 'uint8' ? new Uint8Array(inputs) : new Float32Array(inputs),
    targets: dataset.targets.kind === 'index' ? new Int32Array(targets) : new Float32Array(targets),
  };
}

/** Refuses a data set whose description makes no sense (a user's own, say); throws ConfigError, ShapeError. */
export function checkDataset(operation: string, dataset: Dataset): void {
  checkSize(operation, dataset.size);
  checkInputShape(operation, 'inputShape', dataset.inputShape);
  checkInputType(operation, 'inputType', dataset.inputType);
  checkTargets(operation, dataset.targets, dataset.classNames);
  if (dataset.normalization !== undefined) {
    checkNormalization(operation, dataset.normalization, dataset.inputShape.at(-1)!);
  }
}

/** Refuses what is no number of samples; throws ConfigError. */
export function checkSize(operation: string, size: number): void {
  if (Number.isInteger(size) && size >= 0 && size <= 0xffffffff) return;
  throw new ConfigError({
    operation,
    argument: 'size',
    expected: 'a whole number from 0 to 4294967295',
    received: String(size),
  });
}

/** Refuses the description of an input that makes no sense; throws ConfigError, ShapeError. */
export function checkInput(operation: string, argument: string, description: InputDescription): void {
  const { shape, type, normalization } = description;
  checkInputShape(operation, `${argument}.shape`, shape);
  checkInputType(operation, `${argument}.type`, type);
  if (normalization === undefined) return;
  checkNormalization(operation, normalization, shape.at(-1)!, `${argument}.normalization`);
}

function checkInputType(operation: string, argument: string, type: string): void {
  if (type === 'uint8' || type === 'float32') return;
  const expected = "'uint8' or 'float32'";
  throw new ConfigError({ operation, argument, expected, received: String(type) });
}

/**
 * Refuses a request no data set could serve: an index outside it (DataError), or buffers of another type or
 * length than the samples need (ShapeError). Implementations of `read` call it first.
 */
export function checkRead(
  operation: string,
  dataset: Dataset,
  indices: Uint32Array,
  into: BatchBuffer,
): void {
  checkIndices(operation, dataset.size, indices);
  const inputs = dataset.inputType === 'uint8' ? 'Uint8Array' : 'Float32Array';
  const targets = dataset.targets.kind === 'index' ? 'Int32Array' : 'Float32Array';
  const count = indices.length;
  checkArray(operation, 'into.inputs', into.inputs, inputs, count * elementCount(dataset.inputShape));
  checkArray(operation, 'into.targets', into.targets, targets, count * targetLength(dataset.targets));
}

/** Refuses indices outside a data set; throws DataError. */
export function checkIndices(operation: string, size: number, indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i++) {
    if ((indices[i] as number) < size) continue;
    throw new DataError({
      operation,
      argument: `indices[${i}]`,
      expected: `a sample index below ${size}`,
      received: String(indices[i]),
    });
  }
}

/** Refuses class indices outside the data set's classes, naming the sample; throws DataError. */
export function checkLabels(operation: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new DataError({
        operation,
        argument: `label of sample ${i}`,
        expected: `a class index below ${classes}`,
        received: String(label),
      });
    }
  }
}

/** Refuses the description of targets that makes no sense; throws ConfigError, ShapeError. */
export function checkTargetFormat(operation: string, argument: string, targets: Targets): void {
  if (targets.kind === 'dense') {
    checkShape(operation, `${argument}.shape`, targets.shape);
    return;
  }
  if (targets.kind !== 'index' || !Number.isInteger(targets.classes) || targets.classes < 1) {
    throw new ConfigError({
      operation,
      argument,
      expected: "{ kind: 'index', classes } with a positive number of classes, or { kind: 'dense', shape }",
      received: JSON.stringify(targets),
    });
  }
  if (targets.shape !== undefined) checkShape(operation, `${argument}.shape`, targets.shape);
}

function checkTargets(operation: string, targets: Targets, classNames?: readonly string[]): void {
  checkTargetFormat(operation, 'targets', targets);
  if (targets.kind === 'dense') return;
  if (classNames !== undefined && classNames.length !== targets.classes) {
    throw new ConfigError({
      operation,
      argument: 'classNames',
      expected: `a name for each of ${targets.classes} classes`,
      received: `${classNames.length} names`,
    });
  }
}

/** Refuses a normalisation that makes no sense for so many channels; throws ConfigError, ShapeError. */
export function checkNormalization(
  operation: string,
  normalization: Normalization,
  channels: number,
  argument = 'normalization',
): void {
  const { kind } = normalization;
  if (kind === 'none' || kind === 'scale' || kind === 'l2Rows') return;
  if (kind !== 'standardize') {
    throw new ConfigError({
      operation,
      argument: `${argument}.kind`,
      expected: "'none', 'scale', 'standardize' or 'l2Rows'",
      received: String(kind),
    });
  }
  const { mean, std } = normalization;
  if (mean.length !== channels || std.length !== channels) {
    throw new ShapeError({
      operation,
      argument,
      expected: `mean and std with a number for each of ${channels} channels`,
      received: `${mean.length} and ${std.length}`,
    });
  }
  if (!mean.every(Number.isFinite) || !std.every((value) => Number.isFinite(value) && value > 0)) {
    throw new ConfigError({
      operation,
      argument,
      expected: 'finite means and positive, finite standard deviations',
      received: JSON.stringify({ mean, std }),
    });
  }
}

function checkArray(
  operation: string,
  argument: string,
  array: BatchBuffer[keyof BatchBuffer],
  type: string,
  length: number,
): void {
  const actual = array?.[Symbol.toStringTag];
  if (actual === type && array.length === length) return;
  throw new ShapeError({
    operation,
    argument,
    expected: `${type} ${formatShape([length])}`,
    received: actual === undefined ? String(array) : `${actual} ${formatShape([array.length])}`,
  });
}
