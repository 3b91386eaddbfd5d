/** Sums over samples, and the metrics that come of them. */
import type { OutputResults, StepResults } from '../parallel/results.ts';
import type { StepInput } from '../parallel/runner.ts';
import type { Metrics, OutputMetrics } from './history.ts';
import { isNumbers, type Loss } from './losses.ts';
import { addMetric } from './metric-functions.ts';
import type { Objective } from './objective.ts';

/** Sums over the samples of an output so far. */
export interface OutputSums {
  loss: number;
  /** Shares of right answers. */
  correct: number;
  /** Mean errors of losses of numbers. */
  errors: number;
}

/** Sums over the samples so far: `loss` is that of all outputs, with penalties; the others are the first output's. */
export interface MetricSums extends OutputSums {
  samples: number;
  /** The outputs', where there are several with losses. */
  outputs: OutputSums[];
  /** Of the metrics that were asked for, output by output. */
  metrics: number[];
}

/** The same to be read. */
export type FinishedSums = Omit<MetricSums, 'outputs' | 'metrics'> & {
  readonly outputs: readonly OutputSums[];
  readonly metrics: readonly number[];
};

/** Adds a step's results, in the order of its samples; `targets` are those of its slot. */
export function addResults(
  sums: MetricSums,
  results: StepResults,
  count: number,
  objective: Objective,
  targets: StepInput['targets'],
): void {
  addMetrics(sums, results, count, objective, targets);
  const { losses, outputs, penalty } = results;
  addOutput(sums, { ...outputs[0]!, losses }, count);
  sums.loss += penalty * count;
  sums.samples += count;
  if (outputs.length === 1) return;
  outputs.forEach((output, at) => {
    sums.outputs[at] ??= { loss: 0, correct: 0, errors: 0 };
    addOutput(sums.outputs[at], output, count);
  });
}

function addMetrics(
  sums: MetricSums,
  { outputs }: StepResults,
  count: number,
  { metrics, lastAxes, targets: kinds }: Objective,
  targets: StepInput['targets'],
): void {
  let place = 0;
  metrics.forEach((list, i) => {
    for (const metric of list) {
      const batch = {
        outputs: outputs[i]!.seen!,
        targets: targets[i] ?? targets[0]!,
        kind: kinds[i] ?? kinds[0]!,
        ...{ last: lastAxes[i]!, count },
      };
      sums.metrics[place] = addMetric(sums.metrics[place] ?? 0, metric, batch);
      place += 1;
    }
  });
}

function addOutput(
  sums: OutputSums,
  { losses, correct, answers, errors: each }: OutputResults,
  count: number,
): void {
  // Locals: a fraction stored in an object is an object itself.
  let { loss, correct: right, errors } = sums;
  for (let i = 0; i < count; i++) {
    loss += losses[i]!;
    right += correct[i]! / answers;
    if (each !== undefined) errors += each[i]!;
  }
  Object.assign(sums, { loss, correct: right, errors });
}

/**
 * Means over the samples. Numbers are not right or wrong: their accuracy is NaN, and their error is told. Where outputs
 * have losses or targets of their own, each one's are told besides, and the accuracy of all is that of the first output
 * that has one.
 */
export function metricsFrom(sums: FinishedSums, objective: Objective): Metrics {
  const { samples } = sums;
  const { losses, outputNames, perOutput } = objective;
  const loss = sums.loss / samples;
  if (!perOutput || outputNames.length === 1) {
    return {
      loss,
      accuracy: Number.NaN,
      ...figuresOf(sums, samples, losses[0]!),
      ...askedOf(sums, objective, 0),
    };
  }
  const figures = losses.map((each, i): OutputMetrics => {
    const own = sums.outputs[i] ?? { loss: 0, correct: 0, errors: 0 };
    const asked = askedOf(sums, objective, i);
    return { loss: own.loss / samples, ...figuresOf(own, samples, each), ...asked };
  });
  const main = figures.find(({ accuracy }) => accuracy !== undefined) ?? figures[0]!;
  const outputs = Object.fromEntries(outputNames.map((name, i) => [name, figures[i]!]));
  const { metrics: _, ...told } = main;
  return { accuracy: Number.NaN, ...told, loss, outputs };
}

/** The metrics of an output that were asked for, by name. */
function askedOf(
  { metrics: sums, samples }: FinishedSums,
  { metrics }: Objective,
  output: number,
): { readonly metrics?: Readonly<Record<string, number>> } {
  const before = metrics.slice(0, output).reduce((count, { length }) => count + length, 0);
  const own = metrics[output]!;
  if (own.length === 0) return {};
  return {
    metrics: Object.fromEntries(own.map((name, i) => [name, (sums[before + i] ?? 0) / samples])),
  };
}

function figuresOf({ correct, errors }: OutputSums, samples: number, loss: Loss) {
  return isNumbers(loss.name) ? { meanAbsoluteError: errors / samples } : { accuracy: correct / samples };
}

/** No samples yet. */
export function noResults(): MetricSums {
  return { loss: 0, correct: 0, errors: 0, samples: 0, outputs: [], metrics: [] };
}
