/**
 * Poolings to try: windows 1-5, strides 1-3 (so that windows overlap, touch or leave gaps), asymmetric pads
 * below the window, images of up to 12 x 12 pixels, views with more halo than needed and gaps.
 */
import fc from 'fast-check';
import { ShapeError } from '../../src/errors.ts';
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import { checkPoolWindow, type PoolWindow } from '../../src/tensor/pooling.ts';
import type { View } from '../../src/tensor/view.ts';
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
