/** Fills a step's slot: samples, targets, weights, affine maps, the step's numbers. */

import { type Augmentation, affineMatrix } from '../data/augmentation.ts';
import { checkLabels, type InputDescription, type Targets, targetLength } from '../data/dataset.ts';
import { ConfigError, DataError } from '../errors.ts';
import { type StreamKey, splitWords } from '../math/random.ts';
import type { InputFormat, TargetFormat } from '../model/contracts.ts';
import type { StepInput } from '../parallel/runner.ts';
import { elementCount } from '../tensor/shape.ts';
import type { Feed } from './feed.ts';

/** Weights of samples: by the data set's index, and by class. */
export interface Weighting {
  /** One weight a sample of the data set. */
  readonly sampleWeight?: ArrayLike<number>;
  /** One weight a class. */
  readonly classWeight?: ArrayLike<number>;
}

/** What a step's samples go through. */
export interface StepRecipe extends Weighting {
  readonly augmentation?: Augmentation | undefined;
  /** Which inputs are augmented: all of them by the same maps, in proportion to their sizes. */
  readonly augmented?: readonly number[];
  readonly augmentationKey: StreamKey;
  readonly epoch: number;
  /** Whether targets are read for nothing (prediction), so that they may be anything. */
  readonly ignoreTargets?: boolean;
}

/** How the samples of an input reach the model. */
function inputFormat(
  { type, normalization = { kind: 'none' } }: Pick<InputDescription, 'type' | 'normalization'>,
  augmented: boolean,
): InputFormat {
  const standardize = normalization.kind === 'standardize' ? normalization : { mean: [], std: [] };
  return {
    type,
    mode: normalization.kind,
    mean: standardize.mean,
    std: standardize.std,
    augmented,
  };
}

/** The formats of all inputs, as options of a plan; `augmented`: which of them are, by their places. */
export function inputFormats(
  { inputs }: Feed,
  augmented: readonly number[] = [],
): { readonly input: InputFormat; readonly otherInputs?: readonly InputFormat[] } {
  const [input, ...others] = inputs.map((each, i) => inputFormat(each, augmented.includes(i)));
  return { input: input!, ...(others.length > 0 && { otherInputs: others }) };
}

/** The formats of all targets, as options of a plan. */
export function targetFormats({ targets }: Feed): {
  readonly targets?: TargetFormat;
  readonly otherTargets?: readonly TargetFormat[];
} {
  const [first, ...others] = targets.map(targetFormat);
  return { ...(first && { targets: first }), ...(others.length > 0 && { otherTargets: others }) };
}

/** How targets are stored. */
export function targetFormat(targets: Targets): TargetFormat {
  return { kind: targets.kind, length: targetLength(targets) };
}

/** Reads the samples `indices` into a slot and works out their weights and affine maps. */
export async function fillSamples(
  feed: Feed,
  indices: Uint32Array,
  input: StepInput,
  recipe: StepRecipe,
): Promise<void> {
  const { inputs, targets, heads } = input;
  try {
    await feed.read(
      indices,
      inputs.map(({ samples }) => samples),
      targets,
    );
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      {
        operation: 'dataset',
        argument: 'read',
        expected: `samples ${indices[0]}, ...`,
        received: cause instanceof Error ? cause.message : String(cause),
      },
      { cause },
    );
  }
  feed.targets.forEach((kind, i) => {
    if (kind.kind !== 'index' || recipe.ignoreTargets) return;
    const where = feed.targets.length === 1 ? 'dataset' : `dataset, target ${feed.targetNames[i]}`;
    checkLabels(where, targets[i]!, kind.classes);
  });
  const { sampleScale, weight } = heads[0]!;
  fillScale(feed.targets[0], indices, targets[0]!, sampleScale, recipe);
  input.classWeights?.set(recipe.classWeight ?? []);
  for (const head of heads.slice(1)) head.sampleScale.set(sampleScale.map((scale) => scale * head.weight));
  if (weight !== 1) sampleScale.set(sampleScale.map((scale) => scale * weight));
  if (recipe.augmentation === undefined) return;
  const { augmentation, augmentationKey, epoch, augmented = [0] } = recipe;
  for (const place of augmented) {
    const [height, width] = feed.inputs[place]!.shape as [number, number];
    const { matrices } = inputs[place]!;
    for (let i = 0; i < indices.length; i++) {
      affineMatrix(augmentation, augmentationKey, epoch, indices[i]!, height, width, matrices, 6 * i);
    }
  }
}

/** Writes the step's number and the optimizer's numbers. */
export function fillStep(input: StepInput, step: number, hyper: readonly number[]): void {
  const [low, high] = splitWords(step);
  input.step[0] = low;
  input.step[1] = high;
  input.hyper.set(hyper);
}

/** Each sample's weight divided by the batch: the gradient is that of the batch's mean loss. */
function fillScale(
  kind: Targets | undefined,
  indices: Uint32Array,
  targets: ArrayLike<number>,
  scale: Float32Array,
  { sampleWeight, classWeight }: Weighting,
): void {
  const count = indices.length;
  for (let i = 0; i < count; i++) {
    const sample = sampleWeight === undefined ? 1 : sampleWeight[indices[i]!]!;
    const byClass =
      classWeight === undefined || kind === undefined || hasMasks(kind)
        ? 1
        : (classWeight[classOf(kind, targets, i)] ?? 1);
    scale[i] = (sample * byClass) / count;
  }
}

/** Whether classes, and their weights, are the pixels'. */
export function hasMasks(targets: Targets): boolean {
  return targets.kind === 'index' ? targets.shape !== undefined : targets.shape.length > 1;
}

function classOf(kind: Targets, targets: ArrayLike<number>, i: number): number {
  if (kind.kind === 'index') return targets[i]!;
  const classes = elementCount(kind.shape);
  let best = 0;
  for (let c = 1; c < classes; c++) if (targets[i * classes + c]! > targets[i * classes + best]!) best = c;
  return best;
}

/** Classes of a sample, or of a pixel. */
export function classesOf(targets: Targets): number {
  if (targets.kind === 'index') return targets.classes;
  return targets.shape.length > 1 ? targets.shape.at(-1)! : elementCount(targets.shape);
}

/** Throws ConfigError unless the weights are finite, not negative, and enough. */
export function checkWeighting(
  operation: string,
  { size, targets }: Feed,
  { sampleWeight, classWeight }: Weighting,
): void {
  const check = (argument: string, weights: ArrayLike<number> | undefined, length: number) => {
    if (weights === undefined) return;
    const bad = Array.from(weights).findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)));
    if (weights.length === length && bad < 0) return;
    throw new ConfigError({
      operation,
      argument,
      expected: `${length} finite weights from 0 on`,
      received: bad < 0 ? `${weights.length} weights` : `${weights[bad]} at ${bad}`,
    });
  };
  check('sampleWeight', sampleWeight, size);
  if (classWeight !== undefined && targets.length > 1) {
    throw new ConfigError({
      operation,
      argument: 'classWeight',
      expected: 'none where outputs have targets of their own',
      received: 'weights',
      hint: 'sampleWeight counts samples for all outputs, lossWeights outputs',
    });
  }
  check('classWeight', classWeight, classesOf(targets[0]!));
}
