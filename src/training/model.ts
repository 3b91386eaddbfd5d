/** The model as users see it: `sequential` and `functional`, then fit, evaluate, predict. */

import { availableParallelism } from 'node:os';
import { arrayDataset } from '../data/array-dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { ConfigError, ShapeError } from '../errors.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import type { Layer, LayerSource } from '../layers/layer.ts';
import type { SymbolicTensor } from '../layers/symbolic.ts';
import { functionalGraph, type OutputTensors } from '../model/functional.ts';
import { type Graph, graphParameters, sequentialGraph } from '../model/graph.ts';
import {
  graphUpTo,
  graphUpToFirst,
  layerOutput,
  layersByPrefix,
  symbolicTensors,
} from '../model/subgraph.ts';
import { summarize } from '../model/summary.ts';
import { formatBytes } from '../parallel/arena.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import { runWithCallbacks } from './callbacks/run.ts';
import {
  checkBatchSize,
  checkFit,
  type EvaluateOptions,
  evaluateWith,
  openEvaluation,
  type Prediction,
  type PredictOptions,
  predictWith,
} from './evaluate.ts';
import { type FitOptions, trainEpochs } from './fit.ts';
import type { EpochRecord, History, Metrics } from './history.ts';
import { type MemoryOptions, type PlannedMemory, plannedMemory } from './memory.ts';
import { type BatchInput, type BatchOptions, gradientsOnBatch, trainOnBatch } from './on-batch.ts';
import { type LoadOptions, saveModel, withModelFile } from './save.ts';
import { ModelState, type Weight } from './state.ts';
import { checkTrainedOn, type TrainedOn } from './trained-on.ts';

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

export interface SequentialOptions extends ModelOptions {
  /** [H, W, C] of an image, or [F] of a vector. */
  readonly inputShape: Shape;
}

export interface FunctionalOptions extends ModelOptions {
  /** What `input` returned: one, or several in order. */
  readonly inputs: SymbolicTensor | readonly SymbolicTensor[];
  /** One tensor, several in order, or several by name. */
  readonly outputs: OutputTensors;
}

/** A model. It takes memory and workers at its first run; `close()` releases them. */
export class Model {
  readonly graph: Graph;
  readonly seed: number;
  readonly numerics: Numerics;
  readonly #state: ModelState;
  /** Its layers as others use them, so that what is used twice is shared. */
  readonly #layers = new Map<string, Layer>();
  #symbols: readonly (SymbolicTensor | undefined)[] | undefined;

  constructor(graph: Graph, seed: number, numerics: Numerics, memoryLimit?: number) {
    this.graph = graph;
    this.seed = seed;
    this.numerics = numerics;
    this.#state = new ModelState(graph, seed, numerics, memoryLimit);
  }

  get inputShape(): Shape {
    return this.graph.tensors[this.graph.input]!;
  }

  get outputShape(): Shape {
    return this.graph.tensors[this.graph.output]!;
  }

  /**
   * Names of classes, normalisation, and how images are resized: what `fit` found in its data set, or `load` in the
   * file. May be set by whoever knows it; throws ConfigError for what does not fit the model.
   */
  get trainedOn(): TrainedOn | undefined {
    return this.#state.trainedOn;
  }

  set trainedOn(value: TrainedOn | undefined) {
    this.#state.trainedOn = value && checkTrainedOn('trainedOn', value, this.graph);
  }

  /** How many numbers `getWeights` returns: trained ones, and buffers such as running means. */
  get parameterCount(): number {
    return graphParameters(this.graph).reduce((sum, { elements }) => sum + elements, 0);
  }

  /** Table of layers: output shapes, parameters, multiply-adds; and the memory planned for a training step. */
  summary(options: MemoryOptions = {}): string {
    const { batchSize = 32, threads = availableParallelism() } = options;
    const { totalBytes } = this.memory({ ...options, threads });
    const step = `Memory of a training step: ${formatBytes(totalBytes)} planned`;
    return `${summarize(this.graph)}\n${step} (batch ${batchSize}, ${threads} threads)`;
  }

  /** Bytes that a training step will take, before anything is allocated. */
  memory(options: MemoryOptions = {}): PlannedMemory {
    return plannedMemory(this.graph, this.numerics, options);
  }

  /**
   * Trains on a data set. The weights afterwards depend on seed, data and options alone: not on threads, engine
   * or machine. Throws ConfigError and ShapeError for what does not fit together, NonFiniteLossError (nothing
   * of that step was applied), WorkerLostError, and StateError while the model does something else; workers are
   * released by `close()`. The model may be used in `onEpoch`, and its weights in `onStep` too.
   */
  async fit(dataset: Dataset, options: FitOptions = {}): Promise<History> {
    const epochs = this.epochs(dataset, options);
    let next = await epochs.next();
    while (next.done !== true) next = await epochs.next();
    return next.value;
  }

  /**
   * The same as an async iterator over the finished epochs: `for await (const record of model.epochs(data, options))`.
   * The model may be used in the loop's body; leaving the loop ends the run.
   */
  epochs(dataset: Dataset, options: FitOptions = {}): AsyncGenerator<EpochRecord, History, void> {
    return runWithCallbacks(this, dataset, options, (all, resumed) =>
      trainEpochs(this.#state, dataset, all, resumed),
    );
  }

  /** One optimizer step on one batch; loss and accuracy are those before the step. */
  trainOnBatch(batch: BatchInput, options: BatchOptions = {}): Promise<Metrics> {
    return this.#state.exclusively('trainOnBatch', () => trainOnBatch(this.#state, batch, options));
  }

  /** Loss, accuracy and the gradients of all parameters on one batch; nothing is changed. */
  gradientsOnBatch(
    batch: BatchInput,
    options: BatchOptions = {},
  ): Promise<Metrics & { gradients: Record<string, Weight> }> {
    return this.#state.exclusively('gradientsOnBatch', () => gradientsOnBatch(this.#state, batch, options));
  }

  /** Mean loss and accuracy over a data set. */
  async evaluate(dataset: Dataset, options: EvaluateOptions = {}): Promise<Metrics> {
    const { batchSize = 128, loss = 'categoricalCrossentropy' } = options;
    checkBatchSize('evaluate', batchSize);
    checkFit('evaluate', this.#state, dataset, loss);
    return this.#state.exclusively('evaluate', async () => {
      const runner = await this.#state.runner(options);
      const key = openEvaluation(runner, this.#state, dataset, { batchSize, loss });
      return evaluateWith(this.#state, runner, key, dataset, loss);
    });
  }

  /**
   * The model's output for a data set, or for floats [N, ...inputShape] taken as they are; of several outputs the first,
   * and what only the others need (auxiliary heads) is not computed. A sample's result does not depend on the others.
   */
  async predict(inputs: Dataset | Float32Array, options: PredictOptions = {}): Promise<Prediction> {
    const dataset = inputs instanceof Float32Array ? this.#asDataset(inputs) : inputs;
    const graph = graphUpToFirst(this.graph);
    const [output] = await this.#state.exclusively('predict', () =>
      predictWith(this.#state, dataset, options, graph),
    );
    return output!;
  }

  /** All outputs of the model, by name; as `predict`, which gives the first. */
  async predictAll(
    inputs: Dataset | Float32Array,
    options: PredictOptions = {},
  ): Promise<Record<string, Prediction>> {
    const dataset = inputs instanceof Float32Array ? this.#asDataset(inputs) : inputs;
    const found = await this.#state.exclusively('predictAll', () =>
      predictWith(this.#state, dataset, options),
    );
    return Object.fromEntries(this.graph.outputNames.map((name, i) => [name, found[i]!]));
  }

  /**
   * What the named layers return for a data set, or for floats [N, ...inputShape]: by name, each [N, ...outputShape].
   * Nothing behind them is computed. 'name:1' is a shared layer's second call. Throws ConfigError for unknown names.
   */
  async activations(
    inputs: Dataset | Float32Array,
    names: readonly string[],
    options: PredictOptions = {},
  ): Promise<Record<string, Prediction>> {
    const graph = graphUpTo(this.graph, names, 'activations');
    const dataset = inputs instanceof Float32Array ? this.#asDataset(inputs) : inputs;
    const found = await this.#state.exclusively('activations', () =>
      predictWith(this.#state, dataset, options, graph),
    );
    return Object.fromEntries(names.map((name, i) => [name, found[i]!]));
  }

  /** The model's inputs as tensors, for another model made of its layers. */
  get inputs(): readonly SymbolicTensor[] {
    return this.graph.inputs.map((index) => this.#tensors()[index]!);
  }

  /**
   * What a layer returns, as a tensor for another model. That model's layers keep their names and begin with the
   * parameters that they have here when it is made; from then on each model has its own. Throws ConfigError for an
   * unknown name.
   *
   *     const features = flatten()(base.tensor('block5_pool'));
   *     const model = functional({ inputs: base.inputs, outputs: dense({ units: 5, activation: 'softmax' })(features) });
   */
  tensor(name: string): SymbolicTensor {
    return this.#tensors()[layerOutput(this.graph, name, 'tensor')]!;
  }

  /**
   * The model as a layer: its output on another model's tensors. Its layers are there as `name/layer`, with the
   * parameters that they have here when that model is made. Applied twice under one name, they are shared.
   */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[], { name = 'model' } = {}): SymbolicTensor {
    const list = Array.isArray(inputs) ? (inputs as SymbolicTensor[]) : [inputs as SymbolicTensor];
    const tensors = symbolicTensors(this.graph, this, this.#layers, { prefix: `${name}/`, inputs: list });
    return tensors[this.graph.output]!;
  }

  /** Leaves layers alone in training: those of these names, and those whose names begin so ('block1'). */
  freeze(...prefixes: readonly string[]): void {
    for (const name of layersByPrefix(this.graph, prefixes, 'freeze')) this.#state.frozen.add(name);
  }

  /** Lets training change them again. */
  unfreeze(...prefixes: readonly string[]): void {
    for (const name of layersByPrefix(this.graph, prefixes, 'unfreeze')) this.#state.frozen.delete(name);
  }

  /** Copies of all parameters, by name. */
  getWeights(): Record<string, Weight> {
    return this.#state.weights();
  }

  /** Writes parameters by name, some or all. Throws ConfigError or ShapeError before anything is written. */
  setWeights(weights: Readonly<Record<string, Weight | ArrayLike<number>>>): void {
    this.#state.setWeights(weights);
  }

  /**
   * Writes the model as one safetensors file, whole or not at all: to a temporary file beside it, flushed, renamed.
   * `load` brings it back bit for bit, and any reader of safetensors finds the parameters under the names of
   * `getWeights`. The optimizer's state is not in it; checkpoints of `fit` have it. Throws FileError that says what
   * failed and where (what was there before is still there), ConfigError for a layer that no file could bring back,
   * and StateError while the model does something else.
   */
  save(file: string, { files }: Pick<LoadOptions, 'files'> = {}): Promise<void> {
    return this.#state.exclusively('save', () => saveModel(this.#state, file, files));
  }

  /** `load`'s. */
  static async read(file: string, options: LoadOptions): Promise<Model> {
    return withModelFile(`load ${JSON.stringify(file)}`, file, options, async ({ description, readInto }) => {
      const { graph, seed, numerics } = description;
      const model = new Model(graph, seed, numerics, options.memoryLimit);
      await model.#state.exclusively('load', () => readInto(model.#state));
      return model;
    });
  }

  /** Releases memory and workers. The model cannot run afterwards. */
  close(): Promise<void> {
    return this.#state.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tensors(): readonly (SymbolicTensor | undefined)[] {
    this.#symbols ??= symbolicTensors(this.graph, this, this.#layers, {});
    return this.#symbols;
  }

  #asDataset(inputs: Float32Array): Dataset {
    const size = inputs.length / elementCount(this.inputShape);
    if (!Number.isInteger(size) || size < 1) {
      throw new ShapeError({
        operation: 'predict',
        argument: 'inputs',
        expected: `a multiple of ${elementCount(this.inputShape)} floats`,
        received: String(inputs.length),
      });
    }
    return arrayDataset({
      inputs,
      inputShape: this.inputShape,
      targets: new Int32Array(size),
      classes: elementCount(this.outputShape),
    });
  }
}

/**
 * A model of layers one after the other.
 * Throws ConfigError for senseless options, ShapeError where a layer does not fit its input.
 */
export function sequential(options: SequentialOptions, layers: readonly Layer[]): Model {
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
  const { seed, numerics } = checkModelOptions('functional', options);
  const graph = functionalGraph(options.inputs, options.outputs);
  if (graph.inputs.length > 1) {
    throw new ConfigError({
      operation: 'functional',
      argument: 'inputs',
      expected: 'one: models with several inputs cannot be run yet',
      received: String(graph.inputs.length),
    });
  }
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
