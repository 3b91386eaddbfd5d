/** Training on a single batch that the caller has at hand. */
import { arrayDataset } from '../data/array-dataset.ts';
import type { Dataset, Normalization } from '../data/dataset.ts';
import { type NamedInput, type NamedTarget, namedDataset } from '../data/named-arrays.ts';
import type { NamedDataset } from '../data/named-dataset.ts';
import { checkOptions } from '../known-options.ts';
import { type Graph, graphParameters } from '../model/graph.ts';
import type { Runner } from '../parallel/runner.ts';
import { elementCount } from '../tensor/shape.ts';
import { checkWeighting, fillSamples, fillStep, type Weighting } from './batches.ts';
import { memberOf } from './by-name.ts';
import { checkFit } from './evaluate.ts';
import { checkInputNames, type Feed } from './feed.ts';
import type { Metrics } from './history.ts';
import type { MetricsOption } from './metric-functions.ts';
import { addResults, metricsFrom, noResults } from './metrics.ts';
import { checkOnNonFinite, nonFiniteStep, type OnNonFinite } from './non-finite.ts';
import { type Losses, learningOutputs, type Objective } from './objective.ts';
import { openTraining } from './open-training.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from './optimizers.ts';
import { BATCH_OPTIONS, FIT_OPTIONS } from './option-names.ts';
import type { ModelState, RunOptions, Weight } from './state.ts';

/** A batch: targets are class indices [N] or dense [N, classes]. */
export interface BatchInput {
  /** [N, ...inputShape], or such arrays by the names of the model's inputs. */
  readonly inputs: BatchArray | Readonly<Record<string, BatchArray>>;
  /** For all outputs, or by the names of the outputs for each. */
  readonly targets: TargetArray | Readonly<Record<string, TargetArray>>;
  /** What to make of the inputs, of all or of each by name; default none. */
  readonly normalization?: Normalization | Readonly<Record<string, Normalization>>;
}

/** Numbers as they are, or bytes. */
type BatchArray = Float32Array | Uint8Array;
/** Class indices, or what is dense. */
type TargetArray = Int32Array | Float32Array;

export interface BatchOptions extends RunOptions, Weighting {
  /** Default adam(). Not used for gradients alone. */
  readonly optimizer?: Optimizer | OptimizerName;
  /** As in `fit`; default 'categoricalCrossentropy'. */
  readonly loss?: Losses;
  /** As in `fit`. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /** As in `fit`. */
  readonly metrics?: MetricsOption;
  /** As in `fit`; with 'skip' the loss of a step that was left out comes back as it is. */
  readonly onNonFinite?: OnNonFinite;
}

/** One step with an optimizer; see `Model.trainOnBatch`. */
export async function trainOnBatch(
  state: ModelState,
  batch: BatchInput,
  options: BatchOptions,
): Promise<Metrics> {
  const optimizer = resolveOptimizer(options.optimizer ?? 'adam');
  const { runner, key, feed, objective } = await prepare('trainOnBatch', state, batch, options, optimizer);
  const { onNonFinite = 'stop' } = options;
  checkOnNonFinite('trainOnBatch', onNonFinite);
  const end = await runBatch(state, runner, key, feed, options, optimizer.hyper(state.iterations));
  if (end === 'done') state.iterations += 1;
  else if (onNonFinite === 'stop') {
    const at = { operation: 'trainOnBatch', indexOf: (position: number) => position };
    throw nonFiniteStep(runner.diagnose(key, 0, feed.size), at);
  }
  return metricsOf(runner, key, feed.size, objective);
}

/** Gradients without a step; see `Model.gradientsOnBatch`. */
export async function gradientsOnBatch(
  state: ModelState,
  batch: BatchInput,
  options: BatchOptions,
): Promise<Metrics & { gradients: Record<string, Weight> }> {
  const operation = 'gradientsOnBatch';
  const { runner, key, feed, objective } = await prepare(operation, state, batch, options, undefined);
  await runBatch(state, runner, key, feed, options, []);
  const plan = runner.plan(key);
  const gradients: Record<string, Weight> = {};
  for (const { name, spec, elements } of graphParameters(state.graph)) {
    const origin = plan.gradients.get(name);
    if (origin === undefined) continue;
    gradients[name] = { shape: spec.shape, data: runner.floats(key, origin.buffer, elements).slice() };
  }
  return { ...metricsOf(runner, key, feed.size, objective), gradients };
}

async function prepare(
  operation: string,
  state: ModelState,
  batch: BatchInput,
  options: BatchOptions,
  optimizer: Optimizer | undefined,
) {
  checkOptions(operation, options, BATCH_OPTIONS, FIT_OPTIONS);
  const data = asDataset(operation, state, batch, options);
  const { feed, objective } = checkFit(operation, state.graph, data, options);
  checkWeighting(operation, feed, options);
  const runner = await state.runner(options);
  if (optimizer !== undefined) state.useOptimizer(runner, optimizer);
  const { classWeight } = options;
  const training = { batchSize: feed.size, objective, optimizer, augmented: [], classWeight };
  return { runner, key: openTraining(runner, state, feed, training), feed, objective };
}

async function runBatch(
  state: ModelState,
  runner: Runner,
  key: string,
  feed: Feed,
  weighting: Weighting,
  hyper: readonly number[],
): Promise<'done' | 'nonFinite'> {
  const input = runner.input(key, 0, feed.size);
  fillStep(input, state.iterations, hyper);
  const indices = Uint32Array.from({ length: feed.size }, (_, i) => i);
  const { sampleWeight, classWeight } = weighting;
  const recipe = {
    augmentationKey: [0, 0] as const,
    epoch: 0,
    ...(sampleWeight && { sampleWeight }),
    ...(classWeight && { classWeight }),
  };
  await fillSamples(feed, indices, input, recipe);
  return runner.run(key, 0, feed.size);
}

function metricsOf(runner: Runner, key: string, count: number, objective: Objective): Metrics {
  const sums = noResults();
  const { targets } = runner.input(key, 0, count);
  addResults(sums, runner.results(key, count), count, objective, targets);
  return metricsFrom(sums, objective);
}

/** The batch as a data set. Throws ConfigError and ShapeError, naming the input or the output. */
function asDataset(
  operation: string,
  { graph }: ModelState,
  batch: BatchInput,
  options: BatchOptions,
): Dataset | NamedDataset {
  const { inputs, targets, normalization } = batch;
  const [first] = learningOutputs(operation, graph, options);
  if (isArray(inputs) && isArray(targets)) {
    const common = isNormalization(normalization) ? normalization : undefined;
    const { shape, ...target } = targetOf(graph, first!, targets);
    return arrayDataset({
      inputs,
      inputShape: graph.tensors[graph.input]!,
      targets: target.values,
      classes: target.classes!,
      ...(shape && { targetShape: shape }),
      ...(common && { normalization: common }),
    });
  }
  const given = isArray(inputs) ? { [graph.inputNames[0]!]: inputs } : inputs;
  checkInputNames(operation, 'inputs', graph, given);
  const named = graph.inputNames.map((name, i): [string, NamedInput] => {
    const own = isNormalization(normalization) ? normalization : memberOf(normalization ?? {}, name);
    const shape = graph.tensors[graph.inputs[i]!]!;
    return [name, { values: given[name]!, shape, ...(own && { normalization: own }) }];
  });
  const learned = isArray(targets) ? { target: targets } : targets;
  const taught = Object.entries(learned).map(([name, values]): [string, NamedTarget] => [
    name,
    targetOf(graph, isArray(targets) ? first! : Math.max(0, graph.outputNames.indexOf(name)), values),
  ]);
  return namedDataset({ inputs: Object.fromEntries(named), targets: Object.fromEntries(taught) });
}

/** A target of the shape that the output at a place asks for. */
function targetOf({ tensors, outputs }: Graph, place: number, values: TargetArray): NamedTarget {
  const output = tensors[outputs[place]!]!;
  const masks = output.length > 1;
  const shape = values instanceof Float32Array ? output : output.slice(0, -1);
  return { values, classes: masks ? output.at(-1)! : elementCount(output), ...(masks && { shape }) };
}

function isArray<T extends ArrayBufferView>(value: T | Readonly<Record<string, T>>): value is T {
  return ArrayBuffer.isView(value);
}

function isNormalization(value: BatchInput['normalization']): value is Normalization {
  return typeof (value as { readonly kind?: unknown } | undefined)?.kind === 'string';
}
