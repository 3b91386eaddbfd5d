/** Evaluation and prediction: the forward pass over a data set, two slots in turn. */

import type { Dataset } from '../data/dataset.ts';
import type { NamedDataset } from '../data/named-dataset.ts';
import { ConfigError } from '../errors.ts';
import { checkOptions } from '../known-options.ts';
import type { Graph } from '../model/graph.ts';
import { type PlanOptions, planProgram, shardSizeFor } from '../model/plan.ts';
import { graphOfOutputs } from '../model/subgraph.ts';
import type { Runner } from '../parallel/runner.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import { fillSamples, inputFormats, targetFormats } from './batches.ts';
import { type Feed, feedOf, feedOfTargets } from './feed.ts';
import type { Metrics } from './history.ts';
import type { MetricsOption } from './metric-functions.ts';
import { addResults, metricsFrom, noResults } from './metrics.ts';
import {
  type Losses,
  learningOutputs,
  type Objective,
  type ObjectiveOptions,
  objectiveOf,
  objectivePlan,
} from './objective.ts';
import { FIT_OPTIONS, PREDICT_OPTIONS } from './option-names.ts';
import { penaltyOf } from './penalty.ts';
import type { ModelState, RunOptions } from './state.ts';

export interface EvaluateOptions extends RunOptions {
  /** Samples a step; default 128. The result does not depend on it. */
  readonly batchSize?: number;
  /** As in `fit`; default 'categoricalCrossentropy'. */
  readonly loss?: Losses;
  /** As in `fit`, where outputs have losses or targets of their own; else the first output's loss counts alone. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /** As in `fit`. */
  readonly metrics?: MetricsOption;
}

export interface PredictOptions extends RunOptions {
  /** Samples a step; default 128. The result does not depend on it. */
  readonly batchSize?: number;
}

/** The model's outputs: `data` holds [N, ...outputs], row-major. */
export interface Prediction {
  readonly shape: Shape;
  readonly data: Float32Array;
}

const NO_AUGMENTATION = { augmentationKey: [0, 0] as const, epoch: 0 };

/** A data set as the model takes it, and what it is to teach. Throws unless they fit the model. */
export function checkFit(
  operation: string,
  graph: Graph,
  dataset: Dataset | NamedDataset,
  options: ObjectiveOptions,
): { readonly feed: Feed; readonly objective: Objective } {
  const places = learningOutputs(operation, graph, options);
  const learning = graphOfOutputs(graph, places);
  const whole = feedOf(operation, graph, dataset);
  const feed = feedOfTargets(operation, graph, whole, learning.outputNames);
  return { feed, objective: objectiveOf(operation, learning, feed, options) };
}

/** Throws ConfigError unless `batchSize` is a positive integer. */
export function checkBatchSize(operation: string, batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize > 0) return;
  throw new ConfigError({
    operation,
    argument: 'batchSize',
    expected: 'a positive integer',
    received: String(batchSize),
  });
}

/** Opens the evaluation program of a data set; returns its key. */
export function openEvaluation(
  runner: Runner,
  state: ModelState,
  feed: Feed,
  options: { readonly batchSize: number; readonly objective: Objective },
): string {
  const { objective } = options;
  const batchSize = Math.min(options.batchSize, feed.size);
  const { lossWeights, ...learned } = objectivePlan(objective);
  const planned: PlanOptions = {
    mode: 'evaluate',
    batchSize,
    shardSize: shardSizeFor(batchSize),
    ...inputFormats(feed),
    ...learned,
    // The first output alone counts as it is.
    ...(objective.perOutput && lossWeights && { lossWeights }),
    seed: state.seed,
    numerics: state.numerics,
  };
  return openPlan(runner, state, planned, objective.graph);
}

/** Opens a plan under a key made of its options and of the outputs of `graph`, by default the model's. */
function openPlan(
  runner: Runner,
  state: ModelState,
  options: PlanOptions,
  graph: Graph = state.graph,
): string {
  // Losses are told apart by their names.
  const key = JSON.stringify({ ...options, outputs: graph.outputs });
  runner.open(key, (batchSize = options.batchSize) =>
    planProgram(graph, { ...options, batchSize, shardSize: shardSizeFor(batchSize) }),
  );
  return key;
}

/** Runs an opened program over all samples in order; `collect` sees each finished batch. */
async function runThrough(
  runner: Runner,
  key: string,
  feed: Feed,
  collect: (from: number, count: number, slot: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { batchSize, mode } = runner.plan(key).options;
  const fill = (from: number, slot: number) => {
    const count = Math.min(batchSize, feed.size - from);
    const indices = Uint32Array.from({ length: count }, (_, i) => from + i);
    const recipe = { ...NO_AUGMENTATION, ignoreTargets: mode === 'predict' };
    return fillSamples(feed, indices, runner.input(key, slot, count), recipe);
  };
  await fill(0, 0);
  for (let from = 0, slot = 0; from < feed.size; from += batchSize, slot = 1 - slot) {
    if (signal?.aborted) return;
    const count = Math.min(batchSize, feed.size - from);
    const running = runner.run(key, slot, count);
    const next = from + batchSize;
    await settle([running, next < feed.size ? fill(next, 1 - slot) : undefined]);
    collect(from, count, slot);
  }
}

/** Waits for all, then throws the first error: nothing is left running behind an exception. */
export async function settle(promises: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

/** Mean loss and accuracy over a data set; of no sense where the signal ended it. */
export async function evaluateWith(
  state: ModelState,
  runner: Runner,
  key: string,
  feed: Feed,
  objective: Objective,
  signal?: AbortSignal,
): Promise<Metrics> {
  const sums = noResults();
  const collect = (_from: number, count: number, slot: number) => {
    const { targets } = runner.input(key, slot, count);
    addResults(sums, runner.results(key, count), count, objective, targets);
  };
  await runThrough(runner, key, feed, collect, signal);
  const metrics = metricsFrom(sums, objective);
  return { ...metrics, loss: metrics.loss + penaltyOf(state, runner, objective.graph) };
}

/** The outputs of `graph`, by default the model's, for all samples of a data set. */
export async function predictWith(
  state: ModelState,
  feed: Feed,
  options: PredictOptions,
  graph: Graph = state.graph,
): Promise<Prediction[]> {
  checkOptions('predict', options, PREDICT_OPTIONS, FIT_OPTIONS);
  const wantedBatch = options.batchSize ?? 128;
  checkBatchSize('predict', wantedBatch);
  const runner = await state.runner(options);
  const batchSize = Math.min(wantedBatch, feed.size);
  const planned: PlanOptions = {
    mode: 'predict',
    batchSize,
    shardSize: shardSizeFor(batchSize),
    ...inputFormats(feed),
    ...targetFormats(feed),
    seed: state.seed,
    numerics: state.numerics,
  };
  const key = openPlan(runner, state, planned, graph);
  const results = runner.plan(key).outputs.map(({ shape, origin }) => {
    const length = elementCount(shape);
    return { shape, length, buffer: origin.buffer, data: new Float32Array(feed.size * length) };
  });
  await runThrough(runner, key, feed, (from, count) => {
    for (const { buffer, length, data } of results) {
      data.set(runner.floats(key, buffer, count * length), from * length);
    }
  });
  return results.map(({ shape, data }) => ({ shape: [feed.size, ...shape], data }));
}
