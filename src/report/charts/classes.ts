/** Pictures of a classifier's answers by class: the confusion matrix, and precision, recall and F1. */
import type { ClassificationReport } from '../../training/evaluation/classification-report.ts';
import { type ConfusionMatrix, normalizeConfusion } from '../../training/evaluation/confusion-matrix.ts';
import { COLOURS, heading, type Spec } from '../look.ts';

/** Above this many classes cells hold no numbers. */
const MOST_NUMBERS = 25;

/** The confusion matrix as a heat map: rows are the truth, shades the share of a row, numbers the counts. */
export function confusionChart(matrix: ConfusionMatrix): Spec {
  const { classNames, counts } = matrix;
  const shares = normalizeConfusion(matrix).counts;
  const values = classNames.flatMap((truth, t) =>
    classNames.map((answer, p) => ({ truth, answer, count: counts[t]![p]!, share: shares[t]![p]! })),
  );
  const numbers = classNames.length <= MOST_NUMBERS;
  const size = numbers ? 30 : Math.max(4, Math.floor(800 / classNames.length));
  const axis = { ticks: false, domain: false, labelPadding: 6, grid: false };
  const encoding = {
    x: {
      field: 'answer',
      type: 'nominal',
      sort: [...classNames],
      title: 'answer',
      axis: { ...axis, labelAngle: -40 },
    },
    y: { field: 'truth', type: 'nominal', sort: [...classNames], title: 'truth', axis },
  };
  return {
    title: heading('Confusion matrix', ['Rows: what it is; columns: what it was taken for.']),
    width: { step: size },
    height: { step: size },
    data: { values },
    layer: [
      {
        mark: { type: 'rect', stroke: '#ffffff', strokeOpacity: 0.35, strokeWidth: 1 },
        encoding: {
          ...encoding,
          color: {
            field: 'share',
            type: 'quantitative',
            title: 'of its class',
            // Its shades are those of the surface: config.range.heatmap.
            scale: { domain: [0, 1] },
            legend: { format: '.0%', gradientLength: 140, orient: 'bottom' },
          },
        },
      },
      ...(numbers
        ? [
            {
              mark: { type: 'text', fontSize: 10.5 },
              encoding: {
                ...encoding,
                text: { field: 'count', type: 'quantitative', format: '~r' },
                color: { condition: { test: 'datum.share > 0.45', value: '#ffffff' } },
                opacity: { condition: { test: 'datum.count === 0', value: 0.35 }, value: 1 },
              },
            },
          ]
        : []),
    ],
  };
}

/** Precision, recall and F1 of each class as lying bars, one class below the other in their order. */
export function classBars(report: ClassificationReport): Spec {
  const figures = ['precision', 'recall', 'f1'] as const;
  const values = report.classes.flatMap((scores) =>
    figures.map((figure) => ({
      name: scores.name,
      figure: figure === 'f1' ? 'F1' : figure,
      value: scores[figure],
    })),
  );
  const names = report.classes.map(({ name }) => name);
  const kinds = ['precision', 'recall', 'F1'];
  return {
    title: heading('Precision, recall and F1 by class', [
      `Accuracy ${(100 * report.accuracy).toFixed(1)}%; macro F1 ${report.macro.f1.toFixed(3)}.`,
    ]),
    width: 240,
    height: { step: names.length > 20 ? 4 : 8 },
    data: { values },
    mark: { type: 'bar' },
    encoding: {
      y: {
        field: 'name',
        type: 'nominal',
        sort: names,
        title: null,
        axis: { ticks: false, labelPadding: 6, labelLimit: 140 },
        scale: { paddingInner: 0.25 },
      },
      yOffset: { field: 'figure', sort: kinds },
      x: {
        field: 'value',
        type: 'quantitative',
        title: null,
        scale: { domain: [0, 1] },
        axis: { format: '.0%', tickCount: 5 },
      },
      color: {
        field: 'figure',
        title: null,
        sort: kinds,
        scale: { domain: kinds, range: [COLOURS.blue, COLOURS.orange, COLOURS.green] },
        legend: { orient: 'bottom' },
      },
    },
  };
}
