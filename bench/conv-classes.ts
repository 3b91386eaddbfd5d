/** The classes of convolution that networks use, smallest first; sides are those of the input. */
import type { ConvOptions } from '../src/tensor/convolution.ts';
import type { Shape } from '../src/tensor/shape.ts';

export interface ConvClass {
  readonly name: string;
  /** [H, W, C]. */
  readonly inputShape: Shape;
  readonly options: ConvOptions;
  /** Samples of a call: about a shard's. */
  readonly samples: number;
}

const same = { kernelSize: 3, padding: 'same' } as const;

export const CONV_CLASSES: readonly ConvClass[] = [
  { name: '3x3 3>32 @32', inputShape: [32, 32, 3], options: { ...same, filters: 32 }, samples: 4 },
  { name: '3x3 32>32 @32', inputShape: [32, 32, 32], options: { ...same, filters: 32 }, samples: 4 },
  { name: '3x3 32>64 @16', inputShape: [16, 16, 32], options: { ...same, filters: 64 }, samples: 4 },
  { name: '3x3 64>64 @16', inputShape: [16, 16, 64], options: { ...same, filters: 64 }, samples: 4 },
  { name: '3x3 64>128 @8', inputShape: [8, 8, 64], options: { ...same, filters: 128 }, samples: 4 },
  { name: '3x3 128>128 @8', inputShape: [8, 8, 128], options: { ...same, filters: 128 }, samples: 4 },
  { name: '3x3 256>256 @14', inputShape: [14, 14, 256], options: { ...same, filters: 256 }, samples: 2 },
  { name: '3x3 512>512 @14', inputShape: [14, 14, 512], options: { ...same, filters: 512 }, samples: 1 },
  {
    name: '1x1 64>256 @14',
    inputShape: [14, 14, 64],
    options: { filters: 256, kernelSize: 1 },
    samples: 4,
  },
  {
    name: '5x5 16>32 @14',
    inputShape: [14, 14, 16],
    options: { filters: 32, kernelSize: 5, padding: 'same' },
    samples: 4,
  },
  {
    name: '7x7 stride 2 3>64 @64',
    inputShape: [64, 64, 3],
    options: { filters: 64, kernelSize: 7, strides: 2, padding: 'same' },
    samples: 2,
  },
  {
    name: '3x3 stride 2 64>64 @16',
    inputShape: [16, 16, 64],
    options: { ...same, filters: 64, strides: 2 },
    samples: 4,
  },
  {
    name: '3x3 dilated 2 64>64 @16',
    inputShape: [16, 16, 64],
    options: { ...same, filters: 64, dilationRate: 2 },
    samples: 4,
  },
  {
    name: '3x3 4 groups 64>64 @16',
    inputShape: [16, 16, 64],
    options: { ...same, filters: 64, groups: 4 },
    samples: 4,
  },
  {
    name: '3x3 depthwise 64 @16',
    inputShape: [16, 16, 64],
    options: { ...same, filters: 64, groups: 64 },
    samples: 4,
  },
];
