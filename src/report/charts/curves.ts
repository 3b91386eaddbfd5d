/** Curves over epochs: loss and accuracy of training and validation, and the learning rate. */
import type { EpochRecord } from '../../training/history.ts';
import { heading, SERIES, type Spec } from '../look.ts';

type Figures = Pick<EpochRecord, 'epoch' | 'loss' | 'accuracy' | 'valLoss' | 'valAccuracy'>;

const SIZE = { width: 300, height: 200 } as const;

export interface CurveOptions {
  /** Marked by a line. Default: none. */
  readonly bestEpoch?: number;
  readonly title?: string;
}

/**
 * Loss and accuracy side by side over epochs, as the notebook's `plot_compare`: training blue, validation red where
 * there is one; the last values are in the titles. `records` are those of `fit`; those of numbers have no accuracy, and
 * the loss stands alone.
 */
export function trainingCurves(records: readonly Figures[], options: CurveOptions = {}): Spec {
  const { bestEpoch, title = 'Training' } = options;
  const marked = records.some(({ epoch }) => epoch === bestEpoch);
  const ofNumbers = records.length > 0 && records.every(({ accuracy }) => Number.isNaN(accuracy));
  return {
    title: heading(title, marked ? [`Dashed: the best epoch, ${bestEpoch}.`] : []),
    spacing: 64,
    bounds: 'flush',
    hconcat: [lossCurve(records, options), ...(ofNumbers ? [] : [accuracyCurve(records, options)])],
  };
}

/** The left half of `trainingCurves`. */
export function lossCurve(records: readonly Figures[], options: CurveOptions = {}): Spec {
  return panel(records, 'Loss', 'loss', 'valLoss', '.2~f', options.bestEpoch);
}

/** The right half of `trainingCurves`. */
export function accuracyCurve(records: readonly Figures[], options: CurveOptions = {}): Spec {
  return panel(records, 'Accuracy', 'accuracy', 'valAccuracy', '.0%', options.bestEpoch);
}

function panel(
  records: readonly Figures[],
  name: string,
  training: 'loss' | 'accuracy',
  validation: 'valLoss' | 'valAccuracy',
  format: string,
  bestEpoch: number | undefined,
): Spec {
  const values = records.flatMap((record) => [
    { epoch: record.epoch, series: 'training', value: record[training] },
    ...(record[validation] === undefined
      ? []
      : [{ epoch: record.epoch, series: 'validation', value: record[validation] }]),
  ]);
  const last = records.at(-1);
  const ends = [last?.[training], last?.[validation]].map((value) => value?.toFixed(3));
  const text = [
    ...(ends[0] === undefined ? [] : [`training ${ends[0]}`]),
    ...(ends[1] === undefined ? [] : [`validation ${ends[1]}`]),
  ].join(', ');
  const layers: Spec[] = [
    {
      mark: { type: 'line', point: { size: records.length > 40 ? 8 : 30 }, strokeWidth: 2 },
      encoding: {
        x: epochAxis(records),
        y: {
          field: 'value',
          type: 'quantitative',
          title: null,
          scale: { zero: false, nice: 5 },
          axis: { format, tickCount: 5 },
        },
        color: {
          field: 'series',
          title: null,
          scale: { domain: Object.keys(SERIES), range: Object.values(SERIES) },
          legend: { orient: 'bottom' },
        },
      },
    },
  ];
  if (records.some(({ epoch }) => epoch === bestEpoch)) {
    layers.unshift({
      data: { values: [{ epoch: bestEpoch }] },
      mark: { type: 'rule', strokeDash: [4, 4] },
      encoding: { x: epochAxis(records) },
    });
  }
  return {
    ...SIZE,
    title: { text: `${name}: ${text}`, fontSize: 12.5, offset: 8, frame: 'group' },
    data: { values },
    layer: layers,
  };
}

/** Learning rates over epochs (a value an epoch) or over steps: whichever field `over` names. */
export function learningRateChart(
  records: readonly { readonly learningRate: number; readonly epoch: number }[],
): Spec {
  const rates = records.map(({ epoch, learningRate }) => ({ epoch, learningRate }));
  return {
    title: heading('Learning rate', ["Of each epoch's last step."]),
    width: 260,
    height: 110,
    data: { values: rates },
    mark: {
      type: 'line',
      interpolate: 'step-before',
      strokeWidth: 2,
      color: SERIES.training,
      point: { color: SERIES.training, size: records.length > 40 ? 8 : 30 },
    },
    encoding: {
      x: epochAxis(records),
      y: { field: 'learningRate', type: 'quantitative', title: null, axis: { format: '~g' } },
    },
  };
}

/** Ticks at whole epochs, at most about ten. */
export function epochAxis(records: readonly { readonly epoch: number }[]): Spec {
  const epochs = records.map(({ epoch }) => epoch);
  const [first, last] = [Math.min(...epochs, 1), Math.max(...epochs, 2)];
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => (last - first) / size <= 10) ?? 2000;
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return {
    field: 'epoch',
    type: 'quantitative',
    title: 'epoch',
    scale: { domain: [first, last], nice: false },
    axis: {
      values: ticks.filter((epoch) => epoch % step === 0 || epoch === first),
      format: 'd',
      grid: false,
    },
  };
}
