/**
 * Poolings to try: windows 1-5, strides 1-3 (so that windows overlap, touch or leave gaps), asymmetric pads
 * below the window, images of up to 12 x 12 pixels, views with more halo than needed and gaps.
 */
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import {
  checkPoolWindow,
  type PoolOptions,
  type PoolWindow,
  poolOutputSize,
  poolWindow,
} from '../../src/tensor/pooling.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { convCases, type Slack, slacks, slackView } from './arbitraries.ts';

export interface PoolCase {
  /** For the oracle. */
  readonly geometry: ConvGeometry;
  readonly window: PoolWindow;
  readonly count: number;
  readonly seed: number;
  readonly input: View;
  readonly gradInput: View;
  readonly output: View;
  /** Elements of the batch before and after pooling. */
  readonly inputs: number;
  readonly outputs: number;
}

/** What a pooling's specs need of a case. */
export type PoolLayout = Pick<PoolCase, 'window' | 'input' | 'gradInput' | 'output'>;

/** The window of a convolution geometry. */
export function windowOf(g: ConvGeometry): PoolWindow {
  const { kernelHeight, kernelWidth, strideY, strideX, padding } = g;
  return { height: kernelHeight, width: kernelWidth, strideY, strideX, padding };
}

function isPossible(g: ConvGeometry): boolean {
  try {
    checkPoolWindow('test', windowOf(g), g.inHeight, g.inWidth);
    return true;
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

/** Poolings of images with up to `channels` channels. */
export function poolCases(channels = 20): fc.Arbitrary<PoolCase> {
  return fc
    .record({
      conv: convCases({ dilation: 1, groups: 1, inChannels: channels, outChannels: 1 }),
      slacks: fc.tuple(slacks, slacks, slacks),
    })
    .filter(({ conv }) => isPossible(conv.geometry))
    .map(({ conv: { geometry: g, count, seed }, slacks: each }) => {
      const inside = (slack: Slack) => slackView(g.inHeight, g.inWidth, g.inChannels, 0, slack);
      return {
        geometry: g,
        window: windowOf(g),
        count,
        seed,
        input: inside(each[0]),
        gradInput: inside(each[1]),
        output: slackView(g.outHeight, g.outWidth, g.inChannels, 0, each[2]),
        inputs: count * g.inHeight * g.inWidth * g.inChannels,
        outputs: count * g.outHeight * g.outWidth * g.inChannels,
      };
    });
}

/**
 * Poolings of dense views with everything special about windows: global, large, small and side by side, with
 * rows and columns left over, clipped at the top only or at the left only, with gaps between them.
 */
export const LAYOUTS: readonly PoolLayout[] = [
  layout(7, 6, 0, { poolSize: 7 }),
  layout(9, 33, 1, { poolSize: 5 }),
  layout(8, 32, 1, { poolSize: 2 }),
  layout(7, 13, 1, { poolSize: 2 }),
  layout(5, 9, 0, { poolSize: 2, strides: 3, padding: { top: 1, right: 0, bottom: 0, left: 0 } }),
  layout(5, 9, 0, { poolSize: 2, strides: 3, padding: { top: 0, right: 0, bottom: 0, left: 1 } }),
  layout(6, 5, 1, { poolSize: 3, strides: 2, padding: 'same' }),
  layout(2, 5, 0, { poolSize: 3, strides: 1, padding: { top: 1, right: 1, bottom: 1, left: 1 } }),
];

function layout(size: number, channels: number, halo: number, options: PoolOptions): PoolLayout {
  const window = poolWindow('test', [size, size, channels], options);
  const [height, width] = poolOutputSize(window, size, size);
  const input = denseView(size, size, channels, halo);
  return { window, input, gradInput: input, output: denseView(height, width, channels, halo) };
}
