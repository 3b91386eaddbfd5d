/** Images a second over the number of threads: training beside inference, measured against the ideal. */

import { COLOURS, heading, type Spec } from '../../src/report/look.ts';
import type { InferenceRow } from '../suites/inference.ts';
import type { TrainingRow } from '../suites/training.ts';

interface Point {
  readonly batch: string;
  readonly threads: number;
  readonly rate: number;
  /** Threads times the rate of one. */
  readonly ideal: number;
  /** At the line's end, and at which rate it stands so that labels do not touch. */
  readonly label: string;
  readonly labelRate: number;
}

type Row = Pick<TrainingRow, 'batchSize' | 'threads' | 'imagesPerSecond' | 'speedup'>;

/** Of a panel's height. */
const LABEL_HEIGHT = 0.06;

export function scaling(
  training: readonly TrainingRow[],
  inference: readonly InferenceRow[],
  where: string,
): Spec {
  return {
    title: heading('Images a second over threads, the notebook network', [
      'Lines: measured (batch size, rate, speed-up over one thread); dashed: the ideal.',
      where,
    ]),
    spacing: 190,
    bounds: 'flush',
    hconcat: [
      panel('training (augmentation, Adam)', points(training)),
      panel('inference', points(inference)),
    ],
    resolve: { scale: { color: 'independent' } },
  };
}

function points(rows: readonly Row[]): Point[] {
  const most = Math.max(...rows.map(({ threads }) => threads));
  const ideal = ({ imagesPerSecond, speedup, threads }: Row) => (imagesPerSecond / speedup) * threads;
  const gap = LABEL_HEIGHT * Math.max(...rows.map(ideal));
  const ends = rows.filter(({ threads }) => threads === most);
  const places = spread(
    ends.map(({ imagesPerSecond }) => imagesPerSecond),
    gap,
  );
  return rows.map((row) => {
    const { batchSize, threads, imagesPerSecond, speedup } = row;
    const end = ends.indexOf(row);
    const text = `batch ${batchSize}: ${Math.round(imagesPerSecond)} (${speedup.toFixed(2)}x)`;
    return {
      batch: `batch ${batchSize}`,
      threads,
      rate: imagesPerSecond,
      ideal: ideal(row),
      label: end < 0 ? '' : text,
      labelRate: end < 0 ? imagesPerSecond : places[end]!,
    };
  });
}

/** Moves values up where they lie closer than `gap` to the next one below. */
export function spread(values: readonly number[], gap: number): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const placed = [...values];
  let below = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    placed[i] = Math.max(values[i]!, below + gap);
    below = placed[i]!;
  }
  return placed;
}

/** An axis from 0 that ends on a tick, with four to eight steps of 1, 2 or 5 times a power of ten. */
export function niceAxis(most: number): { top: number; step: number } {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = power * [1, 2, 5, 10].find((factor) => most / (power * factor) <= 8)!;
  return { top: Math.ceil(most / step) * step, step };
}

function panel(title: string, values: readonly Point[]): Spec {
  const threads = [...new Set(values.map((point) => point.threads))];
  const batches = [...new Set(values.map(({ batch }) => batch))];
  const x = {
    field: 'threads',
    type: 'quantitative',
    title: 'threads',
    scale: { domain: [Math.min(...threads) - 0.1, Math.max(...threads) + 0.1], nice: false },
    axis: { values: threads, format: 'd', grid: false },
  };
  const colour = {
    field: 'batch',
    type: 'nominal',
    legend: null,
    scale: { domain: batches, range: [COLOURS.blue, COLOURS.red, COLOURS.green] },
  };
  const { top, step } = niceAxis(Math.max(...values.map(({ rate, ideal }) => Math.max(rate, ideal))));
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: 'images/s',
    scale: { domain: [0, top], nice: false },
    axis: { values: Array.from({ length: top / step + 1 }, (_, i) => i * step) },
  });
  return {
    width: 250,
    height: 240,
    title: { text: title, fontSize: 12.5, offset: 8, frame: 'group' },
    data: { values },
    layer: [
      {
        mark: { type: 'line', strokeDash: [4, 4], strokeWidth: 1, opacity: 0.7 },
        encoding: { x, y: y('ideal'), color: colour },
      },
      {
        mark: { type: 'line', point: { size: 50 }, strokeWidth: 2 },
        encoding: { x, y: y('rate'), color: colour },
      },
      {
        mark: { type: 'text', align: 'left', dx: 10 },
        encoding: { x, y: y('labelRate'), text: { field: 'label' }, color: colour },
      },
    ],
  };
}
