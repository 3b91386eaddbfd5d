/** The reliability diagram (Guo et al. 2017): accuracy over confidence, and how many answers there are of each. */
import type { Calibration } from '../../training/evaluation/calibration.ts';
import { COLOURS, heading, type Spec } from '../look.ts';

const WIDTH = 300;

/** Bars below the diagonal: the model is too sure; above it: not sure enough. */
export function reliabilityDiagram({ bins, expectedError }: Calibration): Spec {
  const filled = bins.filter(({ count }) => count > 0);
  const values = filled.map(({ from, to, count, accuracy }) => ({ from, to, count, accuracy }));
  const x = {
    field: 'from',
    type: 'quantitative',
    bin: 'binned',
    title: null,
    scale: { domain: [0, 1] },
    axis: { format: '.0%', labels: false },
  };
  const percent = { domain: [0, 1] };
  return {
    title: heading('Reliability', [
      `Expected calibration error ${(100 * expectedError).toFixed(1)}%.`,
      'Dashed: perfectly calibrated.',
    ]),
    spacing: 8,
    vconcat: [
      {
        width: WIDTH,
        height: WIDTH * 0.75,
        data: { values },
        layer: [
          {
            mark: { type: 'bar', color: COLOURS.blue, stroke: '#ffffff', strokeWidth: 0.5 },
            encoding: {
              x,
              x2: { field: 'to' },
              y: {
                field: 'accuracy',
                type: 'quantitative',
                title: 'accuracy',
                scale: percent,
                axis: { format: '.0%' },
              },
            },
          },
          {
            data: { values: [{ start: 0, end: 1 }] },
            mark: { type: 'rule', strokeDash: [5, 4], strokeWidth: 1.5 },
            encoding: {
              x: { field: 'start', type: 'quantitative', scale: percent },
              x2: { field: 'end' },
              y: { field: 'start', type: 'quantitative', scale: percent },
              y2: { field: 'end' },
            },
          },
        ],
      },
      {
        width: WIDTH,
        height: 60,
        data: { values },
        mark: { type: 'bar', color: COLOURS.sky, stroke: '#ffffff', strokeWidth: 0.5 },
        encoding: {
          x: { ...x, title: 'confidence', axis: { format: '.0%' } },
          x2: { field: 'to' },
          y: {
            field: 'count',
            type: 'quantitative',
            title: 'answers',
            axis: { tickCount: 3, format: '~s' },
          },
        },
      },
    ],
  };
}
