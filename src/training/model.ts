/** The model as users see it: fit, evaluate, predict. models.ts makes them. */

import { availableParallelism } from 'node:os';
import type { Dataset } from '../data/dataset.ts';
import type { NamedDataset } from '../data/named-dataset.ts';
import { checkOptions } from '../known-options.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import type { Layer } from '../layers/layer.ts';
import type { SymbolicTensor } from '../layers/symbolic.ts';
import type { InputTensors } from '../model/functional.ts';
import { type Graph, graphParameters } from '../model/graph.ts';
import {
  graphOfOutputs,
  graphUpTo,
  inputsInOrder,
  layerOutput,
  layersByPrefix,
  symbolicTensors,
} from '../model/subgraph.ts';
import { summarize } from '../model/summary.ts';
import { formatBytes } from '../parallel/arena.ts';
import type { Shape } from '../tensor/shape.ts';
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
import { type Feed, feedOf, feedOfArrays } from './feed.ts';
import { type FitOptions, trainEpochs } from './fit.ts';
import type { EpochRecord, History, Metrics } from './history.ts';
import { type MemoryOptions, type PlannedMemory, plannedMemory } from './memory.ts';
import { type BatchInput, type BatchOptions, gradientsOnBatch, trainOnBatch } from './on-batch.ts';
import { EVALUATE_OPTIONS, FIT_OPTIONS } from './option-names.ts';
import { type LoadOptions, saveModel, withModelFile } from './save.ts';
import { ModelState, type Weight } from './state.ts';
import { checkTrainedOn, type TrainedOn } from './trained-on.ts';

/** What `predict` takes: a data set, floats [N, ...inputShape], or such by the names of the inputs. */
export type PredictionInputs = Dataset | NamedDataset | Float32Array | Readonly<Record<string, Float32Array>>;

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
  async fit(dataset: Dataset | NamedDataset, options: FitOptions = {}): Promise<History> {
    const epochs = this.epochs(dataset, options);
    let next = await epochs.next();
    while (next.done !== true) next = await epochs.next();
    return next.value;
  }

  /**
   * The same as an async iterator over the finished epochs: `for await (const record of model.epochs(data, options))`.
   * The model may be used in the loop's body; leaving the loop ends the run.
   */
  epochs(
    dataset: Dataset | NamedDataset,
    options: FitOptions = {},
  ): AsyncGenerator<EpochRecord, History, void> {
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
  async evaluate(dataset: Dataset | NamedDataset, options: EvaluateOptions = {}): Promise<Metrics> {
    checkOptions('evaluate', options, EVALUATE_OPTIONS, FIT_OPTIONS);
    const { batchSize = 128 } = options;
    checkBatchSize('evaluate', batchSize);
    const { feed, objective } = checkFit('evaluate', this.graph, dataset, options);
    return this.#state.exclusively('evaluate', async () => {
      const runner = await this.#state.runner(options);
      const key = openEvaluation(runner, this.#state, feed, { batchSize, objective });
      return evaluateWith(this.#state, runner, key, feed, objective);
    });
  }

  /**
   * The model's output for a data set, or for floats [N, ...inputShape] taken as they are, or such by the names of its
   * inputs; of several outputs the first, and what only the others need (auxiliary heads) is not computed. A sample's
   * result does not depend on the others.
   */
  async predict(inputs: PredictionInputs, options: PredictOptions = {}): Promise<Prediction> {
    const feed = this.#feed('predict', inputs);
    const graph = graphOfOutputs(this.graph, [0]);
    const [output] = await this.#state.exclusively('predict', () =>
      predictWith(this.#state, feed, options, graph),
    );
    return output!;
  }

  /** All outputs of the model, by name; as `predict`, which gives the first. */
  async predictAll(
    inputs: PredictionInputs,
    options: PredictOptions = {},
  ): Promise<Record<string, Prediction>> {
    const feed = this.#feed('predictAll', inputs);
    const found = await this.#state.exclusively('predictAll', () => predictWith(this.#state, feed, options));
    return Object.fromEntries(this.graph.outputNames.map((name, i) => [name, found[i]!]));
  }

  /**
   * What the named layers return for a data set, or for floats [N, ...inputShape]: by name, each [N, ...outputShape].
   * Nothing behind them is computed. 'name:1' is a shared layer's second call. Throws ConfigError for unknown names.
   */
  async activations(
    inputs: PredictionInputs,
    names: readonly string[],
    options: PredictOptions = {},
  ): Promise<Record<string, Prediction>> {
    const graph = graphUpTo(this.graph, names, 'activations');
    const feed = this.#feed('activations', inputs);
    const found = await this.#state.exclusively('activations', () =>
      predictWith(this.#state, feed, options, graph),
    );
    return Object.fromEntries(names.map((name, i) => [name, found[i]!]));
  }

  /** The model's inputs as tensors, for another model made of its layers. */
  get inputs(): readonly SymbolicTensor[] {
    return this.graph.inputs.map((index) => this.#tensors()[index]!);
  }

  /**
   * What a layer returns, as a tensor for another model. That model's layers keep their names and begin with the
   * parameters that they have here when it is made, frozen where they are here; from then on each model has its own.
   * Throws ConfigError for an unknown name.
   *
   *     const features = flatten()(base.tensor('block5_pool'));
   *     const model = functional({ inputs: base.inputs, outputs: dense({ units: 5, activation: 'softmax' })(features) });
   */
  tensor(name: string): SymbolicTensor {
    return this.#tensors()[layerOutput(this.graph, name, 'tensor')]!;
  }

  /**
   * The model as a layer: its output on another model's tensors. Its layers are there as `name/layer`, with the
   * parameters that they have here when that model is made, frozen where they are here. Applied twice under one name,
   * they are shared. Several inputs come in the model's order, or by name.
   */
  apply(inputs: InputTensors, { name = 'model' } = {}): SymbolicTensor {
    const given = inputsInOrder(this.graph, inputs);
    const tensors = symbolicTensors(this.graph, this, this.#layers, { prefix: `${name}/`, inputs: given });
    return tensors[this.graph.output]!;
  }

  /** Names of the layers that training leaves alone. */
  get frozen(): ReadonlySet<string> {
    return this.#state.frozen;
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

  /** Inputs to predict from, as the model takes them. */
  #feed(operation: string, inputs: PredictionInputs): Feed {
    const isDataset = (given: PredictionInputs): given is Dataset | NamedDataset =>
      !(given instanceof Float32Array) && typeof given.read === 'function';
    return isDataset(inputs)
      ? feedOf(operation, this.graph, inputs)
      : feedOfArrays(operation, this.graph, inputs);
  }
}
