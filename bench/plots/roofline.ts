/**
 * The roofline (Williams, Waterman and Patterson 2009) of the notebook network's kernels on one core: operations a
 * second over operations a byte, under what the micro-kernel and the memories allow.
 */

import { COLOURS, heading, type Spec } from '../../src/report/look.ts';
import { isContraction, type Work } from '../kernel-work.ts';
import type { KernelRow } from '../suites/kernels.ts';
import type { MicroResult } from '../suites/micro.ts';
import { spread } from './scaling.ts';

/** Colours by kind of work; the small kinds share one. */
const GROUPS: Readonly<Record<string, string>> = {
  'convolution, forward': COLOURS.blue,
  'convolution, input gradient': COLOURS.sky,
  'convolution, weight gradient': COLOURS.purple,
  dense: COLOURS.green,
  'pooling, activations, pixels': COLOURS.orange,
  'reduction, optimizer': COLOURS.red,
};

function groupOf(work: Work): string {
  if (isContraction(work)) return work;
  return work === 'reduction' || work === 'optimizer'
    ? 'reduction, optimizer'
    : 'pooling, activations, pixels';
}

const POWERS = [0.01, 0.1, 1, 10, 100, 1000] as const;
/** Room left of the points, in operations a byte, for the roofs' names. */
const LEFT = 0.008;
/** A label's height on the axis of operations a second. */
const LABEL_DECADES = 0.18;

export function roofline(micro: MicroResult, kernels: readonly KernelRow[], where: string): Spec {
  const peak = Math.max(...micro.tiles.map(({ gflops }) => gflops));
  const points = kernels
    .filter(({ flops }) => flops > 0)
    .map((row) => ({
      group: groupOf(row.work),
      intensity: row.flops / row.bytes,
      gflops: row.gflops,
      shape: row.kind.startsWith('winograd') ? 'Winograd' : 'direct',
    }));
  const intensities = points.map(({ intensity }) => intensity);
  const span = [Math.min(LEFT, ...intensities), Math.max(...intensities) * 1.6] as const;
  const x = {
    field: 'intensity',
    type: 'quantitative',
    title: 'operations a byte (every operand once)',
    scale: { type: 'log', domain: [...span], nice: false },
    axis: { format: '~g', values: POWERS },
  };
  const y = {
    field: 'gflops',
    type: 'quantitative',
    title: 'GFLOP/s, convolutions counted as direct',
    scale: { type: 'log' },
    axis: { format: '~g', values: POWERS },
  };
  // Names stand below the left ends of their lines, which rise away from them.
  const below = micro.copies.map(({ gigabytesPerSecond }) => -Math.log10(span[0] * gigabytesPerSecond));
  const names = spread(below, LABEL_DECADES).map((place, i) => {
    const { level, gigabytesPerSecond } = micro.copies[i]!;
    const label = `${level}, ${gigabytesPerSecond.toFixed(0)} GB/s`;
    return { intensity: span[0], gflops: 10 ** -place, label };
  });
  const roofs = micro.copies.flatMap(({ level, gigabytesPerSecond }) =>
    [span[0], peak / gigabytesPerSecond, span[1]].map((intensity) => ({
      level,
      intensity,
      gflops: Math.min(peak, intensity * gigabytesPerSecond),
    })),
  );
  const top = { intensity: span[0], gflops: peak, label: `micro-kernel, ${peak.toFixed(0)} GFLOP/s` };
  return {
    title: heading("Roofline of the notebook network's kernels, one core", [
      "Above the roof lies what Winograd's algorithm saves: it needs fewer operations than are counted.",
      where,
    ]),
    width: 560,
    height: 380,
    layer: [
      {
        data: { values: roofs },
        mark: { type: 'line', color: '#999999', strokeWidth: 1.2 },
        encoding: { x, y, detail: { field: 'level' } },
      },
      {
        data: { values: [top] },
        mark: { type: 'text', align: 'left', dx: 4, dy: -7, color: '#777777' },
        encoding: { x, y, text: { field: 'label' } },
      },
      {
        data: { values: names },
        mark: { type: 'text', align: 'left', dx: 6, dy: 9, color: '#777777' },
        encoding: { x, y, text: { field: 'label' } },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 70, opacity: 0.85 },
        encoding: {
          x,
          y,
          color: {
            field: 'group',
            title: 'work',
            scale: { domain: Object.keys(GROUPS), range: Object.values(GROUPS) },
          },
          shape: {
            field: 'shape',
            title: 'algorithm',
            scale: { domain: ['direct', 'Winograd'], range: ['circle', 'triangle-up'] },
          },
        },
      },
    ],
  };
}
