/** Gradient norms by layer over epochs. */
import { COLOURS, heading, type Spec } from '../look.ts';
import { epochAxis } from './curves.ts';

/** The norm of a layer's gradient at the end of an epoch. */
export interface GradientNorm {
  readonly epoch: number;
  readonly layer: string;
  readonly norm: number;
}

/** Lines that share a colour are told apart by these. */
const DASHES = [
  [1, 0],
  [5, 3],
  [2, 2],
  [8, 3, 2, 3],
] as const;
const COLOUR_LIST = Object.values(COLOURS);

/** Lines on a logarithmic axis, a layer each. Norms of 0 are left out: they have no logarithm. */
export function gradientNormChart(norms: readonly GradientNorm[]): Spec {
  const layers = [...new Set(norms.map(({ layer }) => layer))];
  return {
    title: heading('Gradient norms by layer', [
      'On a fixed batch after each epoch,',
      'L2 over all weights of a layer.',
    ]),
    width: 290,
    height: 200,
    data: { values: norms.filter(({ norm }) => norm > 0) },
    mark: { type: 'line', point: { size: 25 }, strokeWidth: 1.8 },
    encoding: {
      x: epochAxis(norms),
      y: {
        field: 'norm',
        type: 'quantitative',
        title: null,
        scale: { type: 'log', nice: false },
        axis: { format: '~g' },
      },
      color: {
        field: 'layer',
        sort: layers,
        title: null,
        scale: { domain: layers, range: COLOUR_LIST },
        legend: { orient: 'bottom', columns: 2, labelLimit: 130 },
      },
      strokeDash: {
        field: 'layer',
        sort: layers,
        title: null,
        scale: {
          domain: layers,
          range: layers.map((_, i) => DASHES[Math.floor(i / COLOUR_LIST.length) % DASHES.length]),
        },
      },
    },
  };
}
