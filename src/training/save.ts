/** Models as files: `model.save` and `load`. */

import { asFormatError } from '../io/architecture-checks.ts';
import type { DefinedLayer } from '../io/architecture-layers.ts';
import { attempt, closing } from '../io/atomic-write.ts';
import { type FileSystem, localFiles } from '../io/file-system.ts';
import type { Json } from '../io/json-value.ts';
import type { ModelDescription } from '../io/model-file.ts';
import {
  describeModel,
  matchTensors,
  modelTensors,
  RUN_TENSOR,
  readModelDescription,
} from '../io/model-file.ts';
import { readHeader, readTensorInto, replaceSafetensors, verifyChecksum } from '../io/safetensors-file.ts';
import { MAX_MODEL_HEADER_BYTES, type TensorEntry } from '../io/safetensors-header.ts';
import type { ModelState } from './state.ts';
import { checkTrainedOn } from './trained-on.ts';

/** What `load` may be told. */
export interface LoadOptions {
  /** Layers that `defineLayer` made and the model has; those of the package are known. */
  readonly layers?: readonly DefinedLayer[];
  /** Bytes that the model may take at run time; default 4 GiB, WebAssembly's limit. */
  readonly memoryLimit?: number;
  /** Where the file is; default: the local disk. */
  readonly files?: FileSystem;
}

/** Writes a model; see `Model.save`. */
export async function saveModel(state: ModelState, file: string, files?: FileSystem): Promise<void> {
  const operation = `save ${JSON.stringify(file)}`;
  const metadata = describeModel(operation, descriptionOf(state));
  await replaceSafetensors(operation, file, metadata, state.tensors('save'), files);
}

/** All of a model but its weights. */
export function descriptionOf(state: ModelState): ModelDescription {
  const { graph, seed, numerics, frozen, trainedOn } = state;
  return { graph, seed, numerics, frozen, ...(trainedOn && { data: trainedOn as unknown as Json }) };
}

/** A model's file that was opened and found to be one. */
export interface OpenedModel {
  readonly description: ModelDescription;
  /** Fills the model's parameters. */
  readInto(state: ModelState): Promise<void>;
}

/**
 * Opens a model's file, checks all of it and hands it to `body`. Throws FileError where it cannot be read and
 * FormatError where it is not a model.
 */
export async function withModelFile<T>(
  operation: string,
  file: string,
  options: Pick<LoadOptions, 'layers' | 'files'>,
  body: (model: OpenedModel) => Promise<T>,
): Promise<T> {
  const { layers = [], files = localFiles } = options;
  const opened = await attempt(operation, file, 'to open it', () => files.open(file));
  return closing(operation, file, opened, async () => {
    const header = await readHeader(operation, file, opened, MAX_MODEL_HEADER_BYTES);
    const description = readModelDescription(operation, header, layers);
    const entries = matchTensors(
      operation,
      header,
      modelTensors(description.graph),
      description.format === 'faltung-checkpoint' ? RUN_TENSOR : undefined,
    );
    await verifyChecksum(operation, file, opened, header);
    const { data, graph } = description;
    const trainedOn =
      data === undefined
        ? undefined
        : asFormatError(operation, 'data', () => checkTrainedOn('trainedOn', data, graph));
    const readInto = async (state: ModelState) => {
      state.trainedOn = trainedOn;
      for (const [i, { data }] of state.tensors('load', false).entries()) {
        await readTensorInto(operation, file, opened, entries[i] as TensorEntry, data);
      }
      state.tensorsChanged();
    };
    return body({ description, readInto });
  });
}
