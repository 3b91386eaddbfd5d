/**
 * Packs the weights of a convolution into panels of 16 outputs, the order in which the kernels eat them.
 *
 *   weight  HWIO [kh, kw, C/groups, K]
 *   packed  for each group, for each panel of 16 outputs: [tap][inner channel][width]
 *
 * The last panel of a group is as wide as the outputs left, rounded up to a multiple of 4; its padding
 * lanes are zero. The two passes that read packed weights see them as
 *
 *   'forward'        outputs K/groups, inner C/groups, taps in order (ky, kx ascending)
 *   'inputGradient'  outputs C/groups, inner K/groups, taps in reverse (ky, kx descending)
 *
 * With `flip`, `weight` holds a true convolution's weights: tap (ky, kx) of the correlation that the
 * kernels compute is weight[kh-1-ky, kw-1-kx].
 */
import { type ConvGeometry, weightCount } from '../tensor/convolution.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

/** Outputs of a full panel. */
export const PANEL = 16;

/** Which kernel the packed weights are for. */
export type PackPass = 'forward' | 'inputGradient';

export interface PackConv2dSpec {
  readonly kind: 'packConv2d';
  readonly geometry: ConvGeometry;
  readonly pass: PackPass;
  /** Whether the stored weights are a true convolution's. */
  readonly flip: boolean;
}

/** What packed weights are made of: groups x outputs x taps x inner. */
export interface PanelLayout {
  readonly groups: number;
  readonly taps: number;
  /** Outputs of a group. */
  readonly outputs: number;
  /** Summed channels of a group. */
  readonly inner: number;
}

/** The layout of a convolution's packed weights for one pass. */
export function panelLayout(g: ConvGeometry, pass: PackPass): PanelLayout {
  const inChannels = g.inChannels / g.groups;
  const outChannels = g.outChannels / g.groups;
  const forward = pass === 'forward';
  return {
    groups: g.groups,
    taps: g.kernelHeight * g.kernelWidth,
    outputs: forward ? outChannels : inChannels,
    inner: forward ? inChannels : outChannels,
  };
}

/** Widths of the panels of one group of outputs: 16 each, the last a multiple of 4. */
export function panelWidths(outputs: number): number[] {
  const widths: number[] = [];
  for (let first = 0; first < outputs; first += PANEL) widths.push(panelWidth(outputs, first));
  return widths;
}

/** Width of the panel that holds output `output` of a group. */
export function panelWidth(outputs: number, output: number): number {
  const first = output - (output % PANEL);
  return Math.min(PANEL, roundUpToQuad(outputs - first));
}

/** Elements of packed weights. */
export function panelledLength(layout: PanelLayout): number {
  return layout.groups * layout.taps * layout.inner * roundUpToQuad(layout.outputs);
}

/** Elements of a convolution's packed weights. */
export function packedLength(g: ConvGeometry, pass: PackPass): number {
  return panelledLength(panelLayout(g, pass));
}

/**
 * Element of tap 0, inner channel 0 for one output of one group; from there on inner channels, then
 * taps, follow each other in steps of `panelWidth`.
 */
export function panelStart(layout: PanelLayout, group: number, output: number): number {
  const run = layout.taps * layout.inner;
  const lane = output % PANEL;
  return run * (group * roundUpToQuad(layout.outputs) + output - lane) + lane;
}

function roundUpToQuad(count: number): number {
  return Math.ceil(count / 4) * 4;
}

export const packConv2d: KernelFamily<PackConv2dSpec> = {
  kind: 'packConv2d',
  args: (spec) => [
    f32Buffer('weight', 'in', () => weightCount(spec.geometry)),
    f32Buffer('packed', 'out', () => packedLength(spec.geometry, spec.pass)),
  ],
  bind(spec, { f32 }) {
    const { geometry: g, pass, flip } = spec;
    const layout = panelLayout(g, pass);
    const forward = pass === 'forward';
    const { groups, taps, outputs, inner } = layout;
    const inChannels = g.inChannels / groups;
    const outChannels = g.outChannels / groups;
    // Reading the weights backwards is what both a flip and the input gradient do; both together cancel.
    const reverse = forward === flip;
    return (weightBytes: number, packedBytes: number) => {
      const weight = weightBytes >>> 2;
      const packed = packedBytes >>> 2;
      f32.fill(0, packed, packed + panelledLength(layout));
      for (let group = 0; group < groups; group++) {
        for (let output = 0; output < outputs; output++) {
          const width = panelWidth(outputs, output);
          let to = packed + panelStart(layout, group, output);
          for (let tap = 0; tap < taps; tap++) {
            const from = weight + (reverse ? taps - 1 - tap : tap) * inChannels * g.outChannels;
            for (let i = 0; i < inner; i++) {
              const [c, k] = forward ? [i, output] : [output, i];
              f32[to] = f32[from + c * g.outChannels + group * outChannels + k]!;
              to += width;
            }
          }
        }
      }
    };
  },
};
