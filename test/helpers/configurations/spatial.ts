/** Random configurations of layers that move pixels. */
import fc from 'fast-check';
import {
  adaptiveAveragePooling2d,
  cropping2d,
  permute,
  reflectionPadding2d,
  reshape,
  sliceChannels,
  upSampling2d,
  zeroPadding2d,
} from '../../../src/layers/index.ts';
import { elementCount } from '../../../src/tensor/shape.ts';
import { configurationsOf, imageShapes, shapes } from './draw.ts';

const pixels = fc.integer({ min: 0, max: 3 });
const sides = fc.record({ top: pixels, right: pixels, bottom: pixels, left: pixels });

/** Every form in which margins are written. */
const margins = fc.oneof(
  pixels,
  fc.tuple(pixels, pixels),
  sides,
  sides.map(
    ({ top, right, bottom, left }) =>
      [
        [top, bottom],
        [left, right],
      ] as const,
  ),
);

const zeroPaddingConfigurations = configurationsOf(
  fc.tuple(fc.option(margins), imageShapes),
  ([padding, inputShape]) => ({
    layer: zeroPadding2d(padding === null ? {} : { padding }),
    inputShape,
  }),
);

/** Crops that leave the image of `imageShapes`. */
const croppingConfigurations = configurationsOf(
  fc.tuple(sides, imageShapes),
  ([cropping, [height, width, channels]]) => {
    const { top, right, bottom, left } = cropping;
    const inputShape = [top + height! + bottom, left + width! + right, channels!];
    return { layer: cropping2d({ cropping }), inputShape };
  },
);

const factor = fc.integer({ min: 1, max: 4 });

const upSamplingConfigurations = configurationsOf(
  fc.tuple(
    fc.oneof(factor, fc.tuple(factor, factor)),
    fc.constantFrom('nearest' as const, 'bilinear' as const),
    imageShapes,
  ),
  ([size, interpolation, inputShape]) => ({ layer: upSampling2d({ size, interpolation }), inputShape }),
);

/** Reflections of fewer pixels than the image has. */
const reflectionPaddingConfigurations = configurationsOf(
  fc.tuple(sides, imageShapes),
  ([{ top, right, bottom, left }, [height, width, channels]]) => ({
    layer: reflectionPadding2d({ padding: { top, right, bottom, left } }),
    inputShape: [Math.max(top, bottom, height! - 1) + 1, Math.max(left, right, width! - 1) + 1, channels!],
  }),
);

const extent = fc.integer({ min: 1, max: 7 });

const adaptivePoolingConfigurations = configurationsOf(
  fc.tuple(fc.oneof(extent, fc.tuple(extent, extent)), imageShapes),
  ([outputSize, inputShape]) => ({ layer: adaptiveAveragePooling2d({ outputSize }), inputShape }),
);

/** Any order of up to three axes. */
const permuteConfigurations = configurationsOf(
  shapes.chain((inputShape) => {
    const dims = inputShape.map((_, axis) => axis + 1);
    return fc.tuple(
      fc.constant(inputShape),
      fc.shuffledSubarray(dims, { minLength: dims.length, maxLength: dims.length }),
    );
  }),
  ([inputShape, dims]) => ({ layer: permute({ dims }), inputShape }),
);

/** A shape of the same elements: the input's extents split and joined anew, one of them perhaps open. */
const reshapeConfigurations = configurationsOf(
  fc.tuple(shapes, fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 3 }), fc.nat(3)),
  ([inputShape, first, second, rank, open]) => {
    let rest = elementCount(inputShape);
    const targetShape: number[] = [];
    for (const wish of [first, second].slice(0, rank - 1)) {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((each) => rest % each === 0);
      const extent = divisors[wish % divisors.length]!;
      targetShape.push(extent);
      rest /= extent;
    }
    targetShape.push(rest);
    if (open < rank) targetShape[open] = -1;
    return { layer: reshape({ targetShape }), inputShape };
  },
);

const sliceChannelsConfigurations = configurationsOf(
  fc.tuple(shapes, fc.nat(100), fc.option(fc.nat(100))),
  ([inputShape, first, more]) => {
    const channels = inputShape.at(-1)!;
    const start = first % channels;
    const size = more === null ? {} : { size: 1 + (more % (channels - start)) };
    return { layer: sliceChannels({ start, ...size }), inputShape };
  },
);

export const spatialConfigurations = {
  adaptiveAveragePooling2d: adaptivePoolingConfigurations,
  cropping2d: croppingConfigurations,
  permute: permuteConfigurations,
  reflectionPadding2d: reflectionPaddingConfigurations,
  reshape: reshapeConfigurations,
  sliceChannels: sliceChannelsConfigurations,
  upSampling2d: upSamplingConfigurations,
  zeroPadding2d: zeroPaddingConfigurations,
};
