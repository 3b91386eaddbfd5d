/** What a line about a run says besides the loss. */
import type { Metrics } from '../../src/training/history.ts';

/**
 * Accuracy or, of numbers, mean absolute error, as texts with `between` name and value; then the losses of outputs that
 * have losses of their own.
 */
export function figuresOf(metrics: Metrics, between: string): string[] {
  const { accuracy, meanAbsoluteError, outputs = {} } = metrics;
  const figure = (name: string, value: number) => `${name}${between}${value.toFixed(4)}`;
  return [
    ...(Number.isNaN(accuracy) ? [] : [figure('accuracy', accuracy)]),
    ...(meanAbsoluteError === undefined ? [] : [figure('error', meanAbsoluteError)]),
    ...Object.entries(outputs).map(([name, { loss }]) => figure(`${name}_loss`, loss)),
  ];
}
