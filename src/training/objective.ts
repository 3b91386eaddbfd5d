/** What a model learns: for each output a loss and a target, its own or one that all share. */
import type { Targets } from '../data/dataset.ts';
import { ConfigError } from '../errors.ts';
import type { LossPlan, TargetFormat } from '../model/contracts.ts';
import type { Graph } from '../model/graph.ts';
import { targetFormat } from './batches.ts';
import { memberOf } from './by-name.ts';
import type { Feed } from './feed.ts';
import { checkTargets, lossPlan } from './loss-plans.ts';
import { type Loss, type LossName, outputWeights, resolveLoss } from './losses.ts';
import { checkMetric, fitsLoss, isComputed, type Metric, type MetricsOption } from './metric-functions.ts';

/**
 * One loss for all outputs, or by the outputs' names. Outputs that are not named, or with null, have none and are left
 * untrained.
 */
export type Losses = LossName | Loss | Readonly<Record<string, LossName | Loss | null>>;

export interface ObjectiveOptions {
  readonly loss?: Losses | undefined;
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  readonly metrics?: MetricsOption | undefined;
}

/** Losses and targets, in the order of the outputs that have losses. */
export interface Objective {
  /** The model up to these outputs. */
  readonly graph: Graph;
  /**
   * Whether outputs have losses or targets of their own; else all outputs learn the same, and evaluation is that of the
   * first.
   */
  readonly perOutput: boolean;
  readonly outputNames: readonly string[];
  readonly losses: readonly Loss[];
  /** One that all learn, or one an output. */
  readonly targets: readonly Targets[];
  /** What each output's loss counts; undefined where all count 1. */
  readonly weights: readonly number[] | undefined;
  /** Of each output those that are worked out besides; of outputs that learn the same only the first one's. */
  readonly metrics: readonly (readonly Metric[])[];
  /** Values in the last axis of each output. */
  readonly lastAxes: readonly number[];
}

/** The places of the outputs that have losses. Throws ConfigError for losses of others, and for none. */
export function learningOutputs(
  operation: string,
  { outputNames }: Graph,
  { loss = 'categoricalCrossentropy' }: ObjectiveOptions,
): readonly number[] {
  if (!isByName(loss, outputNames)) return [...outputNames.keys()];
  const places = [...outputNames.keys()].filter(
    (place) => (memberOf(loss, outputNames[place]!) ?? null) !== null,
  );
  const strange = Object.keys(loss).find((name) => !outputNames.includes(name));
  if (strange === undefined && places.length > 0) return places;
  throw new ConfigError({
    operation,
    argument: 'loss',
    expected: `one, or several by the names of the outputs ${outputNames.join(', ')}`,
    received: strange === undefined ? 'none' : Object.keys(loss).join(', '),
    ...(strange !== undefined && { hint: `there is no output ${JSON.stringify(strange)}` }),
  });
}

/**
 * What the outputs of a graph learn: all of them have losses (`learningOutputs`), and `feed` their targets. Throws
 * ConfigError and ShapeError where losses, targets and outputs do not fit together, naming the output.
 */
export function objectiveOf(
  operation: string,
  graph: Graph,
  feed: Feed,
  options: ObjectiveOptions,
): Objective {
  const { outputNames } = graph;
  const { loss = 'categoricalCrossentropy', lossWeights } = options;
  const byName = isByName(loss, outputNames);
  const severalTargets = feed.targets.length > 1;
  const losses = outputNames.map((name) => resolveLoss(byName ? loss[name]! : loss));
  const { targets } = feed;
  graph.outputs.forEach((index, i) => {
    const argument = severalTargets ? `dataset.targets.${outputNames[i]}` : 'dataset.targets';
    checkTargets(operation, losses[i]!, graph.tensors[index]!, targets[i] ?? targets[0]!, argument);
  });
  const weights = outputWeights(operation, outputNames, lossWeights);
  const perOutput = byName || severalTargets;
  const metrics = metricsOf(operation, { perOutput, outputNames, losses }, options.metrics ?? []);
  const lastAxes = graph.outputs.map((index) => graph.tensors[index]!.at(-1)!);
  return { graph, perOutput, outputNames, losses, targets, weights, metrics, lastAxes };
}

/** Metrics to work out, by output. Throws ConfigError for those that fit no output. */
function metricsOf(
  operation: string,
  { perOutput, outputNames, losses }: Pick<Objective, 'perOutput' | 'outputNames' | 'losses'>,
  option: MetricsOption,
): readonly (readonly Metric[])[] {
  const refuse = (argument: string, expected: string, received: string): never => {
    throw new ConfigError({ operation, argument, expected, received });
  };
  const byName = !Array.isArray(option);
  const given = option as Readonly<Record<string, readonly Metric[]>>;
  const strange = byName ? Object.keys(given).find((name) => !outputNames.includes(name)) : undefined;
  if (strange !== undefined) refuse('metrics', `names of the outputs ${outputNames.join(', ')}`, strange);
  const listed = byName ? Object.values(given).flat() : (option as readonly Metric[]);
  for (const metric of listed) checkMetric(operation, metric);
  const fitting = outputNames.map((name, i) => {
    if (!perOutput && i > 0) return [];
    const wanted = byName ? (memberOf(given, name) ?? []) : listed;
    const fits = wanted.filter((metric) => fitsLoss(metric, losses[i]!));
    const misfit = wanted.find((metric) => !fits.includes(metric));
    if (byName && misfit) refuse(`metrics.${name}`, `metrics for ${losses[i]!.name}`, misfit);
    return [...new Set(fits)];
  });
  const unused = listed.find((metric) => !fitting.some((fits) => fits.includes(metric)));
  if (unused) refuse('metrics', `metrics for ${losses.map(({ name }) => name).join(', ')}`, unused);
  return fitting.map((fits) => fits.filter(isComputed));
}

/** The objective as options of a plan. */
export function objectivePlan({ perOutput, losses, targets, weights, metrics }: Objective): {
  readonly targets: TargetFormat;
  readonly otherTargets?: readonly TargetFormat[];
  readonly loss: LossPlan;
  readonly otherLosses?: readonly LossPlan[];
  readonly lossWeights?: readonly number[];
  readonly keptOutputs?: readonly number[];
} {
  const kept = metrics.flatMap((list, i) => (list.length > 0 ? [i] : []));
  const [first, ...others] = targets.map(targetFormat);
  const [loss, ...otherLosses] = losses.map((each, i) => lossPlan(each, (targets[i] ?? targets[0]!).kind));
  return {
    targets: first!,
    ...(others.length > 0 && { otherTargets: others }),
    loss: loss!,
    ...(perOutput && { otherLosses }),
    ...(weights && { lossWeights: weights }),
    ...(kept.length > 0 && { keptOutputs: kept }),
  };
}

/** Whether there is a loss for each output; a loss has a `name`, but so may an output be called. */
function isByName(
  loss: Losses,
  outputNames: readonly string[],
): loss is Readonly<Record<string, LossName | Loss | null>> {
  if (typeof loss !== 'object' || loss === null) return false;
  return typeof loss.name !== 'string' || outputNames.every((name) => Object.hasOwn(loss, name));
}
