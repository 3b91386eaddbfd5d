/** The training loop: step n+1 is prepared while step n runs. */

import { type Augmentation, augmentationKey } from '../data/augmentation.ts';
import type { Dataset } from '../data/dataset.ts';
import type { NamedDataset } from '../data/named-dataset.ts';
import { epochOrder } from '../data/order.ts';
import { ConfigError } from '../errors.ts';
import type { StepResults } from '../parallel/results.ts';
import type { Runner } from '../parallel/runner.ts';
import { checkWeighting, fillSamples, fillStep, type Weighting } from './batches.ts';
import type { Callback } from './callbacks/callback.ts';
import { type CheckpointOptions, type Checkpoints, openCheckpoints } from './checkpoints.ts';
import { checkBatchSize, checkFit, evaluateWith, openEvaluation, settle } from './evaluate.ts';
import type { Feed } from './feed.ts';
import { normsByLayer } from './gradient-norms.ts';
import type { EpochMetrics, EpochRecord, History, Metrics, StepProgress } from './history.ts';
import type { MetricsOption } from './metric-functions.ts';
import { addResults, type FinishedSums, metricsFrom, type OutputSums } from './metrics.ts';
import {
  checkOnNonFinite,
  nonFiniteEpoch,
  nonFiniteStep,
  nonFiniteWeights,
  type OnNonFinite,
} from './non-finite.ts';
import type { Losses, Objective } from './objective.ts';
import { augmentedInputs, openTraining } from './open-training.ts';
import { type Optimizer, type OptimizerName, rateAt, resolveOptimizer } from './optimizers.ts';
import { type RunPosition, startOfEpoch } from './run-state.ts';
import type { ModelState, RunOptions } from './state.ts';
import { trainedOnOf } from './trained-on.ts';

export interface FitOptions extends RunOptions, Weighting {
  /** By name, or with options. Default adam(). */
  readonly optimizer?: Optimizer | OptimizerName;
  /**
   * By name, or with options (`categoricalCrossentropy({ labelSmoothing })`); for all outputs, or for each by the
   * output's name: `{ classes: 'categoricalCrossentropy', box: 'meanSquaredError' }`. Outputs without a loss are left
   * untrained, and what only they need is not computed. Outputs learn the data set's target if there is one, or the ones
   * of their names. Default 'categoricalCrossentropy'.
   */
  readonly loss?: Losses;
  /** What the loss of an output counts, by the output's name; default 1. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /**
   * What is told besides the loss, of all outputs that it fits or of each by name: `['top5Accuracy']`. Accuracy and, of
   * numbers, mean absolute error are told in any case. Changes no bit of the weights.
   */
  readonly metrics?: MetricsOption;
  /** Default 1. */
  readonly epochs?: number;
  /** Epochs done before, of `epochs` in all: order and augmentation go on from there. Default 0. */
  readonly initialEpoch?: number;
  /** Default 32. */
  readonly batchSize?: number;
  /** Evaluated after each epoch. */
  readonly validation?: Dataset | NamedDataset;
  /** Whether each epoch has an order of its own; default true. */
  readonly shuffle?: boolean;
  /** A random affine map for each sample; default none. */
  readonly augmentation?: Augmentation;
  /**
   * Names of the inputs that it applies to, all by the same map, in proportion to their sizes; default: the only input
   * that is an image [H, W, C].
   */
  readonly augmentedInputs?: readonly string[];
  /** Seed of order and augmentation; default: the model's. */
  readonly seed?: number;
  /**
   * What to do about a step whose loss or gradient is NaN or infinite: 'stop' (default) throws NonFiniteLossError,
   * 'skip' leaves its update out, counts it in `skippedSteps`, and goes on. Either way no weight is touched.
   */
  readonly onNonFinite?: OnNonFinite;
  /**
   * Whether `onStep` and callbacks are told the L2 norm of each layer's gradients (`progress.gradientNorms`); changes no
   * bit. Default false.
   */
  readonly gradientNorms?: boolean;
  /** Ends the run between two steps. */
  readonly signal?: AbortSignal;
  /** Called after each step; the next one waits for a promise. */
  readonly onStep?: (progress: StepProgress) => void | Promise<void>;
  /** Called after each epoch; 'stop' ends the run with it. */
  readonly onEpoch?: (
    record: EpochRecord,
    epochs: number,
  ) => 'stop' | void | Promise<'stop' | undefined> | Promise<void>;
  /** Saves the run's state between steps, so that it can go on after whatever stops it; default: it does not. */
  readonly checkpoint?: CheckpointOptions;
  /** Called in this order, after `onStep` and `onEpoch`. */
  readonly callbacks?: readonly Callback[];
}

/** One training run with all that it needs at hand. */
interface Run {
  readonly state: ModelState;
  readonly runner: Runner;
  readonly key: string;
  readonly feed: Feed;
  readonly objective: Objective;
  readonly augmented: readonly number[];
  readonly options: FitOptions;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  readonly checkpoints: Checkpoints | undefined;
}

/**
 * Trains a model epoch by epoch; see `Model.epochs`. Returns how the run ended; `resumed` is told the epochs that were
 * finished before, where it goes on from a checkpoint.
 */
export async function* trainEpochs(
  state: ModelState,
  dataset: Dataset | NamedDataset,
  options: FitOptions,
  resumed: (records: readonly EpochRecord[]) => void,
): AsyncGenerator<EpochRecord, History['end'], void> {
  const { epochs = 1, initialEpoch = 0, batchSize: wanted = 32, validation, augmentation } = options;
  const { feed, objective } = checkFit('fit', state.graph, dataset, options);
  const validated = validation && checkFit('fit validation', state.graph, validation, options);
  checkBatchSize('fit', wanted);
  checkEpochs('epochs', epochs);
  checkEpochs('initialEpoch', initialEpoch);
  checkWeighting('fit', feed, options);
  checkOnNonFinite('fit', options.onNonFinite ?? 'stop');
  const augmented = augmentedInputs('fit', feed, augmentation, options.augmentedInputs);
  state.trainedOn = trainedOnOf(dataset);
  const batchSize = Math.min(wanted, dataset.size);
  const optimizer = resolveOptimizer(options.optimizer ?? 'adam');
  const { loss = 'categoricalCrossentropy' } = options;
  const full = { ...options, optimizer, epochs, loss, batchSize };
  const data = { feed, objective, validation: validated, augmented };
  const { checkpoint, seed = state.seed } = options;
  const run = { optimizer, batchSize, seed, steps: Math.ceil(dataset.size / batchSize) };
  const checkpoints =
    checkpoint &&
    (await state.exclusively('fit', () => openCheckpoints(state, dataset, { ...full, checkpoint }, run)));
  if (checkpoints !== undefined) resumed(checkpoints.records);
  let failed = false;
  try {
    if (checkpoints?.stopped) return 'stopped';
    const start = checkpoints?.start ?? startOfEpoch(initialEpoch);
    for (let epoch = start.epoch; epoch < epochs; epoch++) {
      const from = epoch === start.epoch ? start : startOfEpoch(epoch);
      const record = await state.exclusively('fit', () => runEpoch(state, data, full, from, checkpoints));
      if (record === undefined) return 'aborted';
      const stop = (await options.onEpoch?.(record, epochs)) === 'stop';
      if (checkpoints) await state.exclusively('fit', () => checkpoints.afterEpoch(record, stop));
      yield record;
      if (stop) return 'stopped';
    }
    return 'finished';
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    // However the run ends, the caller's leaving of its loop included, the model has the averages.
    if (!failed) state.keepAverages();
  }
}

/** The data of a run as the model takes them. */
interface RunData {
  readonly feed: Feed;
  readonly objective: Objective;
  readonly validation: { readonly feed: Feed; readonly objective: Objective } | undefined;
  /** Which inputs are augmented, by their places. */
  readonly augmented: readonly number[];
}

type Defaults = 'optimizer' | 'epochs' | 'loss' | 'batchSize';
/** Options with their defaults filled in. */
type FullOptions = FitOptions & Required<Pick<FitOptions, Defaults>> & { readonly optimizer: Optimizer };

/**
 * Trains one epoch and validates; undefined where the signal ended it. Everything is opened anew, as `onEpoch` may
 * have used the model in the meantime.
 */
async function runEpoch(
  state: ModelState,
  { feed, objective, validation, augmented }: RunData,
  options: FullOptions,
  from: RunPosition,
  checkpoints: Checkpoints | undefined,
): Promise<EpochRecord | undefined> {
  const { optimizer, batchSize, epochs } = options;
  const runner = await state.runner(options);
  state.useOptimizer(runner, optimizer);
  const { gradientNorms, classWeight } = options;
  const training = { batchSize, objective, optimizer, augmented, gradientNorms, classWeight };
  openTraining(runner, state, feed, training);
  const checking = validation && { batchSize: 128, objective: validation.objective };
  const validationKey = validation && openEvaluation(runner, state, validation.feed, checking!);
  const key = openTraining(runner, state, feed, training);
  const seed = options.seed ?? state.seed;
  const parts = { state, runner, key, feed, objective, augmented, options, optimizer, batchSize, epochs };
  const run = { ...parts, seed, checkpoints };
  const end = await trainEpoch(run, from);
  if (end.done) state.showAverages(true);
  const { signal } = options;
  const checked =
    end.done &&
    validation &&
    (await evaluateWith(state, runner, validationKey!, validation.feed, validation.objective, signal));
  if (!end.done || (validation !== undefined && signal?.aborted)) {
    await checkpoints?.save(end.position);
    return undefined;
  }
  const { seconds, learningRate } = end.position;
  return {
    epoch: from.epoch + 1,
    ...metricsOf(end.position, run),
    ...(checked && validationMetrics(checked)),
    learningRate,
    seconds,
    imagesPerSecond: feed.size / seconds,
  };
}

/** One epoch from a position in it; not `done` where the signal ended it. */
async function trainEpoch(
  run: Run,
  start: RunPosition,
): Promise<{ readonly position: RunPosition; readonly done: boolean }> {
  const { state, runner, key, feed, options, optimizer, batchSize, seed, checkpoints } = run;
  const { epoch } = start;
  const { size } = feed;
  const order = options.shuffle === false ? undefined : epochOrder(seed, epoch, size);
  const steps = Math.ceil(size / batchSize);
  const { augmented } = run;
  const recipe = { ...options, augmented, augmentationKey: augmentationKey(seed), epoch };
  const started = performance.now();
  const countOf = (step: number) => Math.min(batchSize, size - step * batchSize);
  const fill = async (step: number) => {
    const from = step * batchSize;
    const count = countOf(step);
    const indices =
      order?.subarray(from, from + count) ?? Uint32Array.from({ length: count }, (_, i) => from + i);
    await fillSamples(feed, indices, runner.input(key, step % 2, count), recipe);
  };
  const { loss, correct, errors, samples, skippedSteps, outputs, metrics } = start;
  const copied = (list: readonly OutputSums[]) => list.map((output) => ({ ...output }));
  const own = { loss, correct, errors, samples, skippedSteps };
  const sums = { ...own, outputs: copied(outputs), metrics: [...metrics] };
  const secondsSoFar = () => start.seconds + (performance.now() - started) / 1000;
  let { learningRate } = start;
  const positionAt = (step: number) => ({
    ...{ epoch, step, ...sums, outputs: copied(sums.outputs), metrics: [...sums.metrics] },
    ...{ learningRate, seconds: secondsSoFar() },
  });
  if (start.step < steps) await fill(start.step);
  for (let step = start.step; step < steps; step++) {
    if (options.signal?.aborted) return { position: positionAt(step), done: false };
    state.checkOpen();
    const count = countOf(step);
    const { iterations } = state;
    learningRate = rateAt(optimizer.learningRate, iterations);
    const input = runner.input(key, step % 2, count);
    fillStep(input, iterations, optimizer.hyper(iterations, learningRate));
    let results: StepResults | undefined;
    const running = runner.run(key, step % 2, count);
    await settle([running, step + 1 < steps ? fill(step + 1) : undefined]);
    if ((await running) === 'done') {
      state.iterations += 1;
      results = runner.results(key, count);
      addResults(sums, results, count, run.objective, input.targets);
    } else {
      const skips = options.onNonFinite === 'skip' && state.firstNonFinite() === undefined;
      if (!skips) throw failedStep(run, { epoch, step, count, order });
      sums.skippedSteps += 1;
    }
    const elapsed = secondsSoFar();
    await options.onStep?.({
      ...metricsOf(sums, run),
      epoch: epoch + 1,
      epochs: run.epochs,
      step: step + 1,
      steps,
      learningRate,
      ...(options.gradientNorms && results && { gradientNorms: normsByLayer(results.squares!) }),
      imagesPerSecond: sums.samples / elapsed,
      secondsLeft: (elapsed / (step + 1)) * (steps - step - 1),
    });
    await checkpoints?.afterStep(positionAt(step + 1));
  }
  const bad = state.firstNonFinite();
  if (bad !== undefined) throw nonFiniteWeights('fit', epoch + 1, bad);
  if (sums.samples === 0) throw nonFiniteEpoch('fit', epoch + 1, steps);
  return { position: positionAt(steps), done: true };
}

type Sums = FinishedSums & Pick<RunPosition, 'skippedSteps'>;

/** Means over the samples of the steps that were not left out. */
function metricsOf(sums: Sums, { options, objective }: Pick<Run, 'options' | 'objective'>): EpochMetrics {
  const skipped = options.onNonFinite === 'skip' ? { skippedSteps: sums.skippedSteps } : {};
  return { ...metricsFrom(sums, objective), ...skipped };
}

/** The figures of a validation, by their names in an epoch's record. */
function validationMetrics({ loss, accuracy, meanAbsoluteError, metrics, outputs }: Metrics) {
  const error = meanAbsoluteError === undefined ? {} : { valMeanAbsoluteError: meanAbsoluteError };
  return {
    valLoss: loss,
    valAccuracy: accuracy,
    ...error,
    ...(metrics && { valMetrics: metrics }),
    ...(outputs && { valOutputs: outputs }),
  };
}

/** The error for a step that is not finite. `order`: of the samples, undefined for that of the data set. */
function failedStep(
  { runner, key, batchSize }: Run,
  at: {
    readonly epoch: number;
    readonly step: number;
    readonly count: number;
    readonly order: Uint32Array | undefined;
  },
): Error {
  const { epoch, step, count, order } = at;
  const indexOf = (position: number) => {
    const place = step * batchSize + position;
    return order?.[place] ?? place;
  };
  const finding = runner.diagnose(key, step % 2, count);
  return nonFiniteStep(finding, { operation: 'fit', epoch: epoch + 1, step: step + 1, indexOf });
}

function checkEpochs(argument: string, epochs: number): void {
  if (Number.isInteger(epochs) && epochs >= 0) return;
  throw new ConfigError({
    operation: 'fit',
    argument,
    expected: 'a whole number from 0 on',
    received: String(epochs),
  });
}
