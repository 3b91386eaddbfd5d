/** Batches of images for elementwise kernels: any size, each view with its own halo and gaps. */
import fc from 'fast-check';
import type { View } from '../../src/tensor/view.ts';
import { type Slack, slacks, slackView } from './arbitraries.ts';

export interface ImagesCase {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly count: number;
  readonly seed: number;
  /** Elements of the batch. */
  readonly elements: number;
  /** Three views of the images. */
  readonly views: readonly [View, View, View];
}

/** Images of up to 5 x 7 pixels with few or many channels, and batches of 0 to 3. */
export const imagesCases: fc.Arbitrary<ImagesCase> = fc
  .record({
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 7 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 70 })),
    slacks: fc.tuple(slacks, slacks, slacks),
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ slacks: each, ...size }) => {
    const { height, width, channels, count } = size;
    const view = (slack: Slack) => slackView(height, width, channels, 0, slack);
    const views = [view(each[0]), view(each[1]), view(each[2])] as const;
    return { ...size, elements: count * height * width * channels, views };
  });
