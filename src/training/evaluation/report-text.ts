/** Prints a classification report as scikit-learn does. */
import { ConfigError } from '../../errors.ts';
import type { ClassificationReport, ClassScores } from './classification-report.ts';

export interface ReportTextOptions {
  /** Digits after the point, 0 to 20. Default 2. */
  readonly digits?: number;
  /** The row for all samples: 'micro' (default) as in the notebook, or 'accuracy' as scikit-learn has it today. */
  readonly overall?: 'micro' | 'accuracy';
}

/** The table as text, without a line feed at its end. Throws ConfigError for options without sense. */
export function formatClassificationReport(
  report: ClassificationReport,
  options: ReportTextOptions = {},
): string {
  const { digits = 2, overall = 'micro' } = options;
  if (!Number.isInteger(digits) || digits < 0 || digits > 20) {
    throw new ConfigError({
      operation: 'formatClassificationReport',
      argument: 'digits',
      expected: 'a whole number from 0 to 20',
      received: String(digits),
    });
  }
  const { classes, micro, macro, weighted, accuracy } = report;
  const width = Math.max('weighted avg'.length, digits, ...classes.map(({ name }) => name.length));
  const row = (name: string, cells: readonly string[]) =>
    `${name.padStart(width)} ${cells.map((cell) => ` ${cell.padStart(9)}`).join('')}`;
  const scored = (name: string, { precision, recall, f1, support }: ClassScores) =>
    row(name, [...[precision, recall, f1].map((value) => fixed(value, digits)), String(support)]);
  const all =
    overall === 'micro'
      ? scored('micro avg', micro)
      : row('accuracy', ['', '', fixed(accuracy, digits), String(micro.support)]);
  return [
    row('', ['precision', 'recall', 'f1-score', 'support']),
    '',
    ...classes.map((scores) => scored(scores.name, scores)),
    '',
    all,
    scored('macro avg', macro),
    scored('weighted avg', weighted),
  ].join('\n');
}

/** Decimals with ties to even, as Python prints them; `toFixed` takes the larger one. */
function fixed(value: number, digits: number): string {
  const upper = value.toFixed(digits);
  // A tie between two decimals is a double with few digits: 100 hold it exactly.
  const [whole, fraction] = value.toFixed(100).split('.') as [string, string];
  const isTie = /^50*$/.test(fraction.slice(digits));
  if (!isTie) return upper;
  const lower = digits === 0 ? whole : `${whole}.${fraction.slice(0, digits)}`;
  return /[02468]$/.test(lower) ? lower : upper;
}
