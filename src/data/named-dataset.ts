/**
 * The contract of data sets whose samples have several tensors, by name: for models with several inputs.
 *
 *   inputs   by the name of the model's input: [count, ...shape], bytes or floats
 *   targets  one target, under any name, which all outputs of the model learn
 */
import { ConfigError } from '../errors.ts';
import {
  checkInput,
  checkSize,
  checkTargetFormat,
  type Dataset,
  type InputDescription,
  type Targets,
} from './dataset.ts';

/** Where `read` writes. The arrays may lie in shared memory. */
export interface NamedBatchBuffer {
  /** By name, [count, ...shape]: bytes or floats, as the data set describes them. */
  readonly inputs: Readonly<Record<string, Uint8Array | Float32Array>>;
  /** By name, Int32Array [count, ...shape] of class indices, or Float32Array [count, ...shape]. */
  readonly targets: Readonly<Record<string, Int32Array | Float32Array>>;
}

/** A data set of samples with several tensors. As `Dataset`, anything of this shape will do. */
export interface NamedDataset {
  /** Number of samples. */
  readonly size: number;
  /** What the model's inputs are fed with, by their names. */
  readonly inputs: Readonly<Record<string, InputDescription>>;
  /** What a sample is to be taught. */
  readonly targets: Readonly<Record<string, Targets>>;
  /**
   * Copies the samples `indices` (each below `size`, repeats allowed, any order) into `into`, sample i of the batch
   * being indices[i]; the arrays of `into` hold exactly indices.length samples.
   */
  read(indices: Uint32Array, into: NamedBatchBuffer): void | Promise<void>;
}

/** Whether a data set has several tensors by name. */
export function isNamed(dataset: Dataset | NamedDataset): dataset is NamedDataset {
  return typeof (dataset as Partial<NamedDataset>).inputs === 'object';
}

/** Refuses a data set whose description makes no sense; throws ConfigError, ShapeError. */
export function checkNamedDataset(operation: string, dataset: NamedDataset): void {
  checkSize(operation, dataset.size);
  for (const [name, description] of entriesOf(operation, 'inputs', dataset.inputs)) {
    checkInput(operation, `inputs.${name}`, description);
  }
  for (const [name, targets] of entriesOf(operation, 'targets', dataset.targets)) {
    checkTargetFormat(operation, `targets.${name}`, targets);
  }
}

/** The members of a record. Throws ConfigError where there are none. */
export function entriesOf<T>(operation: string, argument: string, record: Readonly<Record<string, T>>) {
  const isRecord = typeof record === 'object' && record !== null && !ArrayBuffer.isView(record);
  const entries = isRecord && !Array.isArray(record) ? Object.entries(record) : [];
  if (entries.length > 0 && entries.every(([, value]) => typeof value === 'object' && value !== null)) {
    return entries;
  }
  throw new ConfigError({
    operation,
    argument,
    expected: 'an object with at least one tensor by name',
    received: entries.length > 0 ? 'members that describe none' : isRecord ? 'none' : typeof record,
  });
}
