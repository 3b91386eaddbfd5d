/** Where the time of a training step goes, kind of work by kind of work. */

import { COLOURS, heading, type Spec } from '../../src/report/look.ts';
import type { StepResult } from '../suites/step.ts';

export function shares(steps: readonly StepResult[], where: string): Spec {
  const values = steps.flatMap(({ batchSize, rows }) =>
    rows.map(({ work, share, milliseconds }) => ({
      batch: `batch ${batchSize}`,
      work,
      share,
      label: `${(100 * share).toFixed(1)}%  (${milliseconds.toFixed(milliseconds < 1 ? 2 : 1)} ms)`,
    })),
  );
  const works = [...new Set(values.map(({ work }) => work))];
  const batches = [...new Set(values.map(({ batch }) => batch))];
  const other = steps
    .map(({ batchSize, otherShare }) => `${(100 * otherShare).toFixed(1)}% at batch ${batchSize}`)
    .join(', ');
  const y = {
    field: 'work',
    type: 'nominal',
    title: null,
    sort: works,
    axis: { ticks: false, labelPadding: 6 },
  };
  const yOffset = { field: 'batch', sort: batches };
  const x = {
    field: 'share',
    type: 'quantitative',
    title: 'share of the step',
    axis: { format: '.0%' },
    scale: { domain: [0, 1.25 * Math.max(...values.map(({ share }) => share))], nice: false },
  };
  return {
    title: heading('A training step of the notebook network by kinds of work, one core', [
      `Neither convolution nor dense: ${other}.`,
      where,
    ]),
    width: 440,
    height: { step: 13 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          x,
          y,
          yOffset,
          color: {
            field: 'batch',
            title: null,
            sort: batches,
            scale: { domain: batches, range: [COLOURS.blue, COLOURS.sky] },
            legend: { orient: 'bottom-right' },
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 },
        encoding: { x, y, yOffset, text: { field: 'label' } },
      },
    ],
  };
}
