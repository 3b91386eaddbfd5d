/**
 * The confusion matrix: counts[t][p] samples of class t were taken for class p (rows are the truth, as in
 * scikit-learn).
 */
import { ConfigError, ShapeError } from '../../errors.ts';
import { type ClassOptions, checkAnswers, resolveClassNames } from './answers.ts';

export interface ConfusionOptions extends ClassOptions {
  /** One weight a sample: counts are sums of weights then. Default: 1 each. */
  readonly sampleWeight?: ArrayLike<number>;
}

/** Plain data. */
export interface ConfusionMatrix {
  readonly classNames: readonly string[];
  /** [classes][classes]: rows are the truth, columns the answers. */
  readonly counts: readonly (readonly number[])[];
}

/**
 * Counts which class was taken for which. `labels` and `predicted` are class indices [N].
 * Throws ShapeError where lengths differ, DataError for indices that are none, ConfigError for options without sense.
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: ConfusionOptions = {},
): ConfusionMatrix {
  const operation = 'confusionMatrix';
  const { sampleWeight } = options;
  const samples = labels.length;
  const classNames = resolveClassNames(operation, options, Math.max(largest(labels), largest(predicted)));
  checkAnswers(operation, 'labels', labels, samples, classNames.length);
  checkAnswers(operation, 'predicted', predicted, samples, classNames.length);
  if (sampleWeight !== undefined) checkWeights(operation, sampleWeight, samples);
  const counts = classNames.map(() => classNames.map(() => 0));
  for (let i = 0; i < samples; i++) {
    const row = counts[labels[i]!]!;
    row[predicted[i]!] = row[predicted[i]!]! + (sampleWeight?.[i] ?? 1);
  }
  return { classNames, counts };
}

/** Shares instead of counts: of each row (how a class was taken), of each column, or of all. Zero of nothing. */
export function normalizeConfusion(
  { classNames, counts }: ConfusionMatrix,
  over: 'true' | 'predicted' | 'all' = 'true',
): ConfusionMatrix {
  const rows = counts.map(sum);
  const columns = counts.map((_, c) => sum(counts.map((row) => row[c]!)));
  const all = sum(rows);
  const total = (t: number, p: number) =>
    over === 'true' ? rows[t]! : over === 'predicted' ? columns[p]! : all;
  const share = (count: number, of: number) => (of === 0 ? 0 : count / of);
  return { classNames, counts: counts.map((row, t) => row.map((count, p) => share(count, total(t, p)))) };
}

/** A text table: a line a true class, a column an answer. Shares have two digits. */
export function formatConfusionMatrix({ classNames, counts }: ConfusionMatrix): string {
  const whole = counts.flat().every(Number.isInteger);
  const cells = counts.map((row) => row.map((count) => (whole ? String(count) : count.toFixed(2))));
  const first = Math.max(...classNames.map(({ length }) => length));
  const widths = classNames.map((name, c) => Math.max(name.length, ...cells.map((row) => row[c]!.length)));
  const line = (name: string, row: readonly string[]) =>
    [name.padEnd(first), ...row.map((cell, c) => cell.padStart(widths[c]!))].join('  ');
  return [line('', classNames), ...classNames.map((name, c) => line(name, cells[c]!))].join('\n');
}

/** The largest element; -1 of none. */
function largest(values: ArrayLike<number>): number {
  let most = -1;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function checkWeights(operation: string, weights: ArrayLike<number>, samples: number): void {
  if (weights.length !== samples) {
    const expected = `${samples} weights, one a sample`;
    throw new ShapeError({
      operation,
      argument: 'sampleWeight',
      expected,
      received: String(weights.length),
    });
  }
  const bad = Array.from(weights).findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (bad < 0) return;
  throw new ConfigError({
    operation,
    argument: `sampleWeight[${bad}]`,
    expected: 'a finite weight from 0 on',
    received: String(weights[bad]),
  });
}
