/**
 * Precision, recall and F1 by class, and their averages, as scikit-learn defines them.
 *
 *   precision = hits / answered so     recall = hits / really so     f1 = 2 hits / (answered so + really so)
 *
 * What would be 0/0 is 0. macro: the mean over classes; weighted: weighted by support; micro: over all samples, where
 * all three are the accuracy.
 */
import { type ConfusionMatrix, type ConfusionOptions, confusionMatrix } from './confusion-matrix.ts';

/** The figures of a class, or of an average. */
export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples that are really of the class; the sum of their weights where there are weights. */
  readonly support: number;
}

/** Plain data; `formatClassificationReport` prints it. */
export interface ClassificationReport {
  readonly classes: readonly (ClassScores & { readonly name: string })[];
  readonly micro: ClassScores;
  readonly macro: ClassScores;
  readonly weighted: ClassScores;
  readonly accuracy: number;
}

/**
 * Reports on answers: `labels` and `predicted` are class indices [N] (`argMax` makes them of a prediction).
 * Throws what `confusionMatrix` throws.
 */
export function classificationReport(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: ConfusionOptions = {},
): ClassificationReport {
  return reportOf(confusionMatrix(labels, predicted, options));
}

/** The report that a confusion matrix of counts gives. */
export function reportOf({ classNames, counts }: ConfusionMatrix): ClassificationReport {
  const classes = classNames.map((name, c) => {
    const hits = counts[c]![c]!;
    const support = sum(counts[c]!);
    const answered = sum(counts.map((row) => row[c]!));
    return { name, ...scores(hits, answered, support) };
  });
  const support = sum(classes.map((scored) => scored.support));
  const hits = sum(counts.map((row, c) => row[c]!));
  const average = (weight: (scored: ClassScores) => number): ClassScores => {
    const total = sum(classes.map(weight));
    const mean = (figure: 'precision' | 'recall' | 'f1') =>
      ratio(sum(classes.map((scored) => scored[figure] * weight(scored))), total);
    return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1'), support };
  };
  return {
    classes,
    micro: scores(hits, support, support),
    macro: average(() => 1),
    weighted: average((scored) => scored.support),
    accuracy: ratio(hits, support),
  };
}

function scores(hits: number, answered: number, support: number): ClassScores {
  return {
    precision: ratio(hits, answered),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, answered + support),
    support,
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
