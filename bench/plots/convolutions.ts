/** Convolutions by class, pass and algorithm, against the micro-kernel. */

import { COLOURS, heading, type Spec } from '../../src/report/look.ts';
import type { ConvolutionRow } from '../suites/convolution.ts';

const PASSES = {
  forward: 'forward',
  inputGradient: 'input gradient',
  weightGradient: 'weight gradient',
} as const;

export function convolutions(rows: readonly ConvolutionRow[], where: string): Spec {
  const classes = [...new Set(rows.map((row) => row.class))];
  const values = rows.map((row) => ({ ...row, pass: PASSES[row.pass] }));
  const most = 1.05 * Math.max(...rows.map((row) => row.ratioToYardstick));
  const hundreds = Array.from({ length: Math.floor(most) + 1 }, (_, i) => i);
  const panel = (pass: string, first: boolean): Spec => ({
    width: 190,
    height: { step: 20 },
    title: { text: pass, fontSize: 12.5, offset: 8, frame: 'group' },
    transform: [{ filter: { field: 'pass', equal: pass } }],
    layer: [
      {
        data: { values: [{ one: 1 }] },
        mark: { type: 'rule', color: '#999999' },
        encoding: { x: { field: 'one', type: 'quantitative' } },
      },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 0.9 },
        encoding: {
          x: {
            field: 'ratioToYardstick',
            type: 'quantitative',
            title: "of the micro-kernel's rate",
            axis: { format: '.0%', values: hundreds },
            scale: { domain: [0, most], nice: false },
          },
          y: {
            field: 'class',
            type: 'nominal',
            sort: classes,
            title: null,
            axis: { labels: first, ticks: false, labelPadding: 6, grid: true, domain: first },
          },
          color: {
            field: 'algorithm',
            title: 'algorithm',
            sort: ['direct', 'F(2,3)', 'F(4,3)'],
            scale: {
              domain: ['direct', 'F(2,3)', 'F(4,3)'],
              range: [COLOURS.blue, COLOURS.orange, COLOURS.red],
            },
          },
        },
      },
    ],
  });
  return {
    title: heading('Convolutions, one core: rate counted as direct convolution', [
      "Line: what the micro-kernel alone reaches; Winograd's F(2,3) and F(4,3) need fewer operations.",
      where,
    ]),
    data: { values },
    spacing: 18,
    hconcat: Object.values(PASSES).map((pass, i) => panel(pass, i === 0)),
  };
}
