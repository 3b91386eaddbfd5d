/** A classifier's answers beside the truth: argmax, labels of a data set, and the checks that all reports share. */
import { createBatchBuffer, type Dataset } from '../../data/dataset.ts';
import { ConfigError, DataError, ShapeError } from '../../errors.ts';
import { formatShape } from '../../tensor/shape.ts';
import type { Prediction } from '../evaluate.ts';

/** Samples read at a time. */
const CHUNK = 512;

/**
 * The class of the largest output of each sample of [N, C]; the first one among equals.
 * Throws ShapeError for another shape, DataError where an output is NaN.
 */
export function argMax(prediction: Prediction): Int32Array {
  const { samples, classes } = checkPrediction('argMax', prediction);
  const { data } = prediction;
  return Int32Array.from({ length: samples }, (_, sample) => {
    const from = sample * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[from + c]! > data[from + best]!) best = c;
    return best;
  });
}

/**
 * The class indices of all samples of a data set, in order; of dense targets [C] the class of the largest. Reads all
 * samples once. Throws ShapeError for masks.
 */
export async function labelsOf(dataset: Dataset): Promise<Int32Array> {
  if (dataset.targets.kind === 'index' && dataset.targets.shape !== undefined) {
    throw new ShapeError({
      operation: 'labelsOf',
      argument: 'dataset.targets',
      expected: 'one class a sample',
      received: `masks ${formatShape(dataset.targets.shape)}`,
    });
  }
  const labels = new Int32Array(dataset.size);
  for (let from = 0; from < dataset.size; from += CHUNK) {
    const count = Math.min(CHUNK, dataset.size - from);
    const buffer = createBatchBuffer(dataset, count);
    await dataset.read(
      Uint32Array.from({ length: count }, (_, i) => from + i),
      buffer,
    );
    const { targets } = buffer;
    if (targets instanceof Int32Array) labels.set(targets, from);
    else labels.set(argMax({ shape: [count, targets.length / count], data: targets }), from);
  }
  return labels;
}

/** Samples and classes of outputs [N, C]. Throws ShapeError for another shape, DataError for NaN. */
export function checkPrediction(
  operation: string,
  { shape, data }: Prediction,
): { samples: number; classes: number } {
  const [samples, classes] = shape as [number, number];
  if (shape.length !== 2 || samples * classes !== data.length || classes < 1) {
    throw new ShapeError({
      operation,
      argument: 'prediction',
      expected: 'outputs [N, classes]',
      received: `${formatShape(shape)} with ${data.length} numbers`,
    });
  }
  const bad = data.findIndex(Number.isNaN);
  if (bad < 0) return { samples, classes };
  throw new DataError({
    operation,
    argument: `prediction of sample ${Math.floor(bad / classes)}`,
    expected: 'numbers',
    received: 'NaN',
    hint: 'look for NaN in the inputs and in the weights',
  });
}

/** Throws ShapeError unless there is a label a sample, DataError unless labels are whole numbers below `classes`. */
export function checkAnswers(
  operation: string,
  argument: string,
  labels: ArrayLike<number>,
  samples: number,
  classes: number,
): void {
  if (labels.length !== samples) {
    const received = String(labels.length);
    throw new ShapeError({ operation, argument, expected: `${samples} class indices`, received });
  }
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new DataError({
      operation,
      argument: `${argument}[${i}]`,
      expected: `a class index below ${classes}`,
      received: String(label),
    });
  }
}

/** What the classes are called, and how many there are. */
export interface ClassOptions {
  /** Default: as many as there are names, else the largest index among labels and answers + 1. */
  readonly classes?: number;
  /** Default '0', '1', ... */
  readonly classNames?: readonly string[];
}

/** Names of all classes. Throws ConfigError where number and names do not fit. */
export function resolveClassNames(operation: string, options: ClassOptions, largest: number): string[] {
  const { classNames } = options;
  const classes = options.classes ?? classNames?.length ?? largest + 1;
  const refuse = (argument: string, expected: string, received: string) => {
    throw new ConfigError({ operation, argument, expected, received });
  };
  if (!Number.isInteger(classes) || classes < 1)
    refuse('classes', 'a positive whole number', String(classes));
  if (classNames !== undefined && classNames.length !== classes) {
    refuse('classNames', `a name for each of ${classes} classes`, `${classNames.length} names`);
  }
  return Array.from({ length: classes }, (_, c) => classNames?.[c] ?? String(c));
}
