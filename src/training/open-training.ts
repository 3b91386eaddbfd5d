/** Opens the program of a training step. */
import { type Augmentation, checkAugmentation } from '../data/augmentation.ts';
import { ConfigError } from '../errors.ts';
import { planProgram, shardSizeFor } from '../model/plan.ts';
import type { Runner } from '../parallel/runner.ts';
import { classesOf, hasMasks, inputFormats } from './batches.ts';
import type { Feed } from './feed.ts';
import { type Objective, objectivePlan } from './objective.ts';
import type { Optimizer } from './optimizers.ts';
import type { ModelState } from './state.ts';

/** What a training program depends on besides model and data. */
export interface TrainingProgram {
  readonly batchSize: number;
  readonly objective: Objective;
  readonly optimizer: Optimizer | undefined;
  /** Which inputs are augmented, by their places. */
  readonly augmented: readonly number[];
  readonly gradientNorms?: boolean | undefined;
  readonly classWeight?: ArrayLike<number> | undefined;
}

/** Opens the training program; returns its key. */
export function openTraining(
  runner: Runner,
  state: ModelState,
  feed: Feed,
  options: TrainingProgram,
): string {
  const { batchSize, objective, optimizer, augmented, gradientNorms = false, classWeight } = options;
  const [kind] = feed.targets;
  const weighted = classWeight !== undefined && hasMasks(kind!) ? classesOf(kind!) : undefined;
  const inputs = inputFormats(feed, augmented);
  const learned = objectivePlan(objective);
  const frozen = [...state.frozen];
  const plans = optimizer?.plan;
  const decisive = [
    batchSize,
    learned,
    inputs,
    plans,
    frozen,
    gradientNorms,
    weighted,
    objective.outputNames,
  ];
  const key = JSON.stringify(['train', ...decisive]);
  const graph = state.startLearning(objective.graph);
  runner.open(key, (size = batchSize) =>
    planProgram(graph, {
      mode: 'train',
      batchSize: size,
      shardSize: shardSizeFor(size),
      ...inputs,
      ...learned,
      gradientNorms,
      ...(weighted !== undefined && { classWeights: weighted }),
      ...(optimizer === undefined ? {} : { optimizer: optimizer.plan }),
      seed: state.seed,
      numerics: state.numerics,
    }),
  );
  return key;
}

/**
 * The places of the inputs that are augmented: those of these names, or the only one that is an image. Throws
 * ConfigError for names of others, and where no input or several could be meant.
 */
export function augmentedInputs(
  operation: string,
  { inputs }: Feed,
  augmentation: Augmentation | undefined,
  names: readonly string[] | undefined,
): readonly number[] {
  if (augmentation === undefined) return [];
  checkAugmentation(operation, augmentation);
  const images = inputs.flatMap(({ shape }, i) => (shape.length === 3 ? [i] : []));
  const nameOf = (i: number) => inputs[i]!.name;
  if (names !== undefined) {
    const places = images.filter((i) => names.includes(nameOf(i)));
    if (places.length === new Set(names).size && places.length > 0) return places;
    throw new ConfigError({
      operation,
      argument: 'augmentedInputs',
      expected: `some of the inputs that are images: ${images.map(nameOf).join(', ') || 'there are none'}`,
      received: names.join(', ') || 'none',
    });
  }
  if (images.length === 1) return images;
  if (images.length > 1) {
    throw new ConfigError({
      operation,
      argument: 'augmentedInputs',
      expected: `which of the images to augment: ${images.map(nameOf).join(', ')}`,
      received: 'no names',
    });
  }
  throw new ConfigError({
    operation,
    argument: 'augmentation',
    expected: 'none for vectors and sequences: shifts, zoom, rotation and flips are for images [H, W, C]',
    received: JSON.stringify(augmentation),
  });
}
