/** Training on a single batch that the caller has at hand. */
import { arrayDataset } from '../data/array-dataset.ts';
import type { Dataset, Normalization } from '../data/dataset.ts';
import { graphParameters } from '../model/graph.ts';
import type { Runner } from '../parallel/runner.ts';
import { elementCount } from '../tensor/shape.ts';
import { checkWeighting, fillSamples, fillStep, type Weighting } from './batches.ts';
import { checkFit } from './evaluate.ts';
import { openTraining } from './fit.ts';
import type { Metrics } from './history.ts';
import type { Loss, LossName } from './losses.ts';
import { addResults, metricsFrom, noResults } from './metrics.ts';
import { checkOnNonFinite, nonFiniteStep, type OnNonFinite } from './non-finite.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from './optimizers.ts';
import type { ModelState, RunOptions, Weight } from './state.ts';

/** A batch: inputs [N, ...inputShape]; targets are class indices [N] or dense [N, classes]. */
export interface BatchInput {
  readonly inputs: Float32Array | Uint8Array;
  readonly targets: Int32Array | Float32Array;
  /** What to make of the inputs; default none. */
  readonly normalization?: Normalization;
}

export interface BatchOptions extends RunOptions, Weighting {
  /** Default adam(). Not used for gradients alone. */
  readonly optimizer?: Optimizer | OptimizerName;
  /** As in `fit`; default 'categoricalCrossentropy'. */
  readonly loss?: LossName | Loss;
  /** As in `fit`. */
  readonly lossWeights?: Readonly<Record<string, number>>;
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
  const { runner, key, dataset } = await prepare(state, batch, options, optimizer);
  const { onNonFinite = 'stop' } = options;
  checkOnNonFinite('trainOnBatch', onNonFinite);
  const end = await runBatch(state, runner, key, dataset, options, optimizer.hyper(state.iterations));
  if (end === 'done') state.iterations += 1;
  else if (onNonFinite === 'stop') {
    const at = { operation: 'trainOnBatch', indexOf: (position: number) => position };
    throw nonFiniteStep(runner.diagnose(key, 0, dataset.size), at);
  }
  return metricsOf(runner, key, dataset.size, options);
}

/** Gradients without a step; see `Model.gradientsOnBatch`. */
export async function gradientsOnBatch(
  state: ModelState,
  batch: BatchInput,
  options: BatchOptions,
): Promise<Metrics & { gradients: Record<string, Weight> }> {
  const { runner, key, dataset } = await prepare(state, batch, options, undefined);
  await runBatch(state, runner, key, dataset, options, []);
  const plan = runner.plan(key);
  const gradients: Record<string, Weight> = {};
  for (const { name, spec, elements } of graphParameters(state.graph)) {
    const origin = plan.gradients.get(name);
    if (origin === undefined) continue;
    gradients[name] = { shape: spec.shape, data: runner.floats(key, origin.buffer, elements).slice() };
  }
  return { ...metricsOf(runner, key, dataset.size, options), gradients };
}

async function prepare(
  state: ModelState,
  batch: BatchInput,
  options: BatchOptions,
  optimizer: Optimizer | undefined,
) {
  const dataset = asDataset(state, batch);
  checkFit('trainOnBatch', state, dataset, options.loss ?? 'categoricalCrossentropy');
  checkWeighting(dataset, options);
  const runner = await state.runner(options);
  if (optimizer !== undefined) state.useOptimizer(runner, optimizer);
  const loss = options.loss ?? 'categoricalCrossentropy';
  const { lossWeights, classWeight } = options;
  const training = { batchSize: dataset.size, loss, optimizer, augmented: false, lossWeights, classWeight };
  return { runner, key: openTraining(runner, state, dataset, training), dataset };
}

async function runBatch(
  state: ModelState,
  runner: Runner,
  key: string,
  dataset: Dataset,
  weighting: Weighting,
  hyper: readonly number[],
): Promise<'done' | 'nonFinite'> {
  const input = runner.input(key, 0, dataset.size);
  fillStep(input, state.iterations, hyper);
  const indices = Uint32Array.from({ length: dataset.size }, (_, i) => i);
  const { sampleWeight, classWeight } = weighting;
  const recipe = {
    augmentationKey: [0, 0] as const,
    epoch: 0,
    ...(sampleWeight && { sampleWeight }),
    ...(classWeight && { classWeight }),
  };
  await fillSamples(dataset, indices, input, recipe);
  return runner.run(key, 0, dataset.size);
}

function metricsOf(runner: Runner, key: string, count: number, { loss }: BatchOptions): Metrics {
  const sums = noResults();
  addResults(sums, runner.results(key, count), count);
  return metricsFrom(sums, loss ?? 'categoricalCrossentropy');
}

function asDataset(state: ModelState, batch: BatchInput): Dataset {
  const { graph } = state;
  const output = graph.tensors[graph.output]!;
  const masks = output.length > 1;
  const targetShape = batch.targets instanceof Float32Array ? output : output.slice(0, -1);
  return arrayDataset({
    inputs: batch.inputs,
    inputShape: graph.tensors[graph.input]!,
    targets: batch.targets,
    classes: masks ? output.at(-1)! : elementCount(output),
    ...(masks && { targetShape }),
    ...(batch.normalization && { normalization: batch.normalization }),
  });
}
