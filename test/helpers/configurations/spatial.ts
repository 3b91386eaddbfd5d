/** Random configurations of layers that move pixels. */
import fc from 'fast-check';
import { cropping2d, upSampling2d, zeroPadding2d } from '../../../src/layers/index.ts';
import { configurationsOf, imageShapes } from './draw.ts';

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

export const zeroPaddingConfigurations = configurationsOf(
  fc.tuple(fc.option(margins), imageShapes),
  ([padding, inputShape]) => ({
    layer: zeroPadding2d(padding === null ? {} : { padding }),
    inputShape,
  }),
);

/** Crops that leave the image of `imageShapes`. */
export const croppingConfigurations = configurationsOf(
  fc.tuple(sides, imageShapes),
  ([cropping, [height, width, channels]]) => {
    const { top, right, bottom, left } = cropping;
    const inputShape = [top + height! + bottom, left + width! + right, channels!];
    return { layer: cropping2d({ cropping }), inputShape };
  },
);

const factor = fc.integer({ min: 1, max: 4 });

export const upSamplingConfigurations = configurationsOf(
  fc.tuple(fc.oneof(factor, fc.tuple(factor, factor)), imageShapes),
  ([size, inputShape]) => ({ layer: upSampling2d({ size }), inputShape }),
);
