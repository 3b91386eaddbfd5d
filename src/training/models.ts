/** How models are made: `sequential`, `functional`, `load`. */
import { ConfigError } from '../errors.ts';
import { checkOptions, type OptionNames } from '../known-options.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import type { Layer, LayerSource } from '../layers/layer.ts';
import { functionalGraph, type InputTensors, type OutputTensors } from '../model/functional.ts';
import { type Graph, sequentialGraph } from '../model/graph.ts';
import type { Shape } from '../tensor/shape.ts';
import { Model } from './model.ts';
import type { LoadOptions } from './save.ts';

/** What all models take. */
export interface ModelOptions {
  /** Seed of weights, dropout, and by default of order and augmentation; default 0. */
  readonly seed?: number;
  /**
   * 'fast' (default): Winograd's algorithm where it is faster; 'accurate': only where it is at least as accurate as
   * direct convolution; 'direct': never. Part of what decides the bits.
   */
  readonly numerics?: Numerics;
  /**
   * Bytes that the model may take at run time, at most 4 GiB (WebAssembly's limit). Default: 4 GiB, or what the system
   * has available where that is less. What does not fit is refused before the first step, with what would.
   */
  readonly memoryLimit?: number;
}

const MODEL_OPTIONS: OptionNames<ModelOptions> = { seed: true, numerics: true, memoryLimit: true };

export interface SequentialOptions extends ModelOptions {
  /** [H, W, C] of an image, or [F] of a vector. */
  readonly inputShape: Shape;
}

export interface FunctionalOptions extends ModelOptions {
  /** What `input` returned: one, several in order, or several by name. */
  readonly inputs: InputTensors;
  /** One tensor, several in order, or several by name. */
  readonly outputs: OutputTensors;
}

const SEQUENTIAL_OPTIONS: OptionNames<SequentialOptions> = { inputShape: true, ...MODEL_OPTIONS };
const FUNCTIONAL_OPTIONS: OptionNames<FunctionalOptions> = { inputs: true, outputs: true, ...MODEL_OPTIONS };

/**
 * A model of layers one after the other.
 * Throws ConfigError for senseless options, ShapeError where a layer does not fit its input.
 */
export function sequential(options: SequentialOptions, layers: readonly Layer[]): Model {
  checkOptions('sequential', options, SEQUENTIAL_OPTIONS);
  const { seed, numerics } = checkModelOptions('sequential', options);
  return new Model(sequentialGraph(options.inputShape, layers), seed, numerics, options.memoryLimit);
}

/**
 * A model of layers called on tensors: several inputs and outputs, branches, shared layers.
 *
 *     const image = input({ shape: [32, 32, 3] });
 *     const x = conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' })(image);
 *     const y = conv2d({ filters: 16, kernelSize: 3, padding: 'same' })(x);
 *     const logits = dense({ units: 10, activation: 'softmax' })(globalAveragePooling2d()(add()([x, y])));
 *     const model = functional({ inputs: image, outputs: logits, seed: 21 });
 *
 * A layer called twice is shared: one set of parameters, whose gradients are summed. Throws ConfigError for senseless
 * options, for an input that is missing or leads nowhere, and for cycles; ShapeError where a shared layer's calls
 * would need different parameters. That a layer does not fit its input is said where it is called.
 */
export function functional(options: FunctionalOptions): Model {
  checkOptions('functional', options, FUNCTIONAL_OPTIONS);
  const { seed, numerics } = checkModelOptions('functional', options);
  const graph = frozenAsInSources(functionalGraph(options.inputs, options.outputs));
  const model = new Model(graph, seed, numerics, options.memoryLimit);
  const given = weightsOfSources(graph);
  if (Object.keys(given).length > 0) model.setWeights(given);
  return model;
}

/** The parameters of layers that were taken from other models, as they are there now. */
function weightsOfSources(graph: Graph): Record<string, Float32Array> {
  const read = new Map<LayerSource, ReturnType<LayerSource['getWeights']>>();
  const weights: Record<string, Float32Array> = {};
  for (const { layer, layerName, parameters } of graph.nodes) {
    const { source } = layer;
    if (source === undefined || parameters.length === 0) continue;
    if (!read.has(source.model)) read.set(source.model, source.model.getWeights());
    for (const { name } of parameters) {
      weights[`${layerName}/${name}`] = read.get(source.model)![`${source.name}/${name}`]!.data;
    }
  }
  return weights;
}

/** The graph in which training leaves alone what it leaves alone in the models that layers were taken from. */
function frozenAsInSources(graph: Graph): Graph {
  const isFrozen = ({ source }: Layer) => source?.model.frozen.has(source.name);
  const nodes = graph.nodes.map((node) => (isFrozen(node.layer) ? { ...node, trainable: false } : node));
  return { ...graph, nodes };
}

/** Fills in the defaults. Throws ConfigError. */
function checkModelOptions(
  operation: string,
  { seed = 0, numerics = 'fast' }: ModelOptions,
): { readonly seed: number; readonly numerics: Numerics } {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError({
      operation,
      argument: 'seed',
      expected: 'a whole number from 0 to 2^53-1',
      received: String(seed),
    });
  }
  if (!['direct', 'accurate', 'fast'].includes(numerics)) {
    throw new ConfigError({
      operation,
      argument: 'numerics',
      expected: "'direct', 'accurate' or 'fast'",
      received: JSON.stringify(numerics),
    });
  }
  return { seed, numerics };
}

/**
 * The model of a file that `save` wrote, or of a checkpoint of `fit`. Nothing in the file is believed before it is
 * checked: throws FormatError, with the byte or the member at fault, for what is damaged, of a newer version or no
 * model, FileError where it cannot be read, and MemoryError where the model does not fit into `memoryLimit`.
 */
export function load(file: string, options: LoadOptions = {}): Promise<Model> {
  return Model.read(file, options);
}
