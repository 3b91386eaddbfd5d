/** All that can be said about a classifier's answers on a data set, in one call. */
import type { Dataset } from '../../data/dataset.ts';
import type { EvaluateOptions, Prediction } from '../evaluate.ts';
import type { Model } from '../model.ts';
import { argMax, labelsOf } from './answers.ts';
import { type Calibration, calibration } from './calibration.ts';
import { type ClassificationReport, reportOf } from './classification-report.ts';
import { type ConfusionMatrix, confusionMatrix } from './confusion-matrix.ts';
import { type Mistake, mostConfidentMistakes } from './mistakes.ts';
import { topKAccuracy } from './top-k.ts';

export interface EvaluateClassifierOptions extends EvaluateOptions {
  /** Of topK. Default 5, at most the number of classes. */
  readonly k?: number;
  /** Of the calibration. Default 15. */
  readonly bins?: number;
  /** How many mistakes to keep. Default 24. */
  readonly mistakes?: number;
}

export interface ClassifierEvaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly topK: { readonly k: number; readonly accuracy: number };
  readonly report: ClassificationReport;
  readonly confusion: ConfusionMatrix;
  readonly calibration: Calibration;
  readonly mistakes: readonly Mistake[];
  /** [N, classes]. */
  readonly prediction: Prediction;
  readonly labels: Int32Array;
}

/**
 * Evaluates a model whose outputs are probabilities of classes (a softmax at its end).
 * Throws what `evaluate`, `predict` and the single reports throw.
 */
export async function evaluateClassifier(
  model: Model,
  dataset: Dataset,
  options: EvaluateClassifierOptions = {},
): Promise<ClassifierEvaluation> {
  const { k = 5, bins = 15, mistakes = 24, ...where } = options;
  const { loss, accuracy } = await model.evaluate(dataset, where);
  const prediction = await model.predict(dataset, where);
  const labels = await labelsOf(dataset);
  const classes = prediction.shape[1]!;
  const { classNames } = dataset;
  const confusion = confusionMatrix(labels, argMax(prediction), {
    classes,
    ...(classNames && { classNames }),
  });
  const most = Math.min(k, classes);
  return {
    loss,
    accuracy,
    topK: { k: most, accuracy: topKAccuracy(labels, prediction, most) },
    report: reportOf(confusion),
    confusion,
    calibration: calibration(labels, prediction, { bins }),
    mistakes: mostConfidentMistakes(labels, prediction, { count: mistakes }),
    prediction,
    labels,
  };
}
