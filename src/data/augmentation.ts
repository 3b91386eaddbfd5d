/**
 * Random affine maps for training images, with the options and the composition of Keras' ImageDataGenerator
 * (`get_random_transform`, `apply_affine_transform`), as the seed's notebook uses it.
 *
 * The map takes a pixel (x, y) of the OUTPUT to the place in the SOURCE image it shows, pixel centres at
 * whole numbers, x to the right and y downward:
 *
 *   source = T(centre) * R(theta) * T(shift) * Z(zoom) * T(-centre) * F
 *
 * R turns by theta, Z scales x and y by factors of their own (below 1 enlarges), F mirrors x to W-1-x where
 * the coin says so. The centre is (W/2 - 0.5, H/2 - 0.5), the middle of the pixel grid, as in current Keras
 * (versions before 2018 took W/2 + 0.5).
 *
 * Every number is addressed by (key, epoch, sample, parameter): who computes it and when changes nothing.
 */
import { ConfigError } from '../errors.ts';
import { checkOptions, type OptionNames } from '../known-options.ts';
import { type StreamKey, streamKey, writeUniform } from '../math/random.ts';
import { cos, sin } from '../math/trigonometry.ts';

/** How far images may be changed; whatever is left out stays as it is. */
export interface Augmentation {
  /** Shift to either side, uniform in +-range: a fraction of the width below 1, pixels from 1 on. Default 0. */
  readonly widthShiftRange?: number;
  /** Shift up or down, likewise of the height. Default 0. */
  readonly heightShiftRange?: number;
  /** Shifts by whole pixels only, so that a shifted image is as sharp as the image itself. Default false. */
  readonly wholePixels?: boolean;
  /** Zoom factors of both axes, independent, uniform in [1 - range, 1 + range]; below 1. Default 0. */
  readonly zoomRange?: number;
  /** Rotation in degrees, uniform in +-range. Default 0. */
  readonly rotationRange?: number;
  /** Mirror left and right with probability 1/2. Default false. */
  readonly horizontalFlip?: boolean;
}

const AUGMENTATIONS: OptionNames<Augmentation> = {
  widthShiftRange: true,
  heightShiftRange: true,
  wholePixels: true,
  zoomRange: true,
  rotationRange: true,
  horizontalFlip: true,
};

/** The augmentation of the seed's notebook. */
export const notebookAugmentation: Augmentation = {
  widthShiftRange: 0.1,
  heightShiftRange: 0.1,
  zoomRange: 0.1,
  rotationRange: 30,
  horizontalFlip: true,
};

/**
 * Shifts by up to 4 whole pixels, and mirrors: what cutting 32x32 pixels out of an image padded by 4 on each side does
 * (He et al. 2016, section 4.2), but that the border is repeated instead of zeros.
 */
export const cropAugmentation: Augmentation = {
  widthShiftRange: 4,
  heightShiftRange: 4,
  wholePixels: true,
  horizontalFlip: true,
};

const RADIANS_PER_DEGREE = 0.017453292519943295;

/** The first word of each parameter's address; a number once given is never given to another parameter. */
const ADDRESS = { rotation: 0, shiftY: 1, shiftX: 2, zoomX: 3, zoomY: 4, flip: 5 } as const;

/** The key of a run's augmentation. */
export function augmentationKey(seed: number): StreamKey {
  return streamKey(seed, 'augmentation');
}

/** Throws ConfigError for ranges without sense, and for what is none of them. */
export function checkAugmentation(operation: string, augmentation: Augmentation): void {
  checkOptions(`${operation} augmentation`, augmentation, AUGMENTATIONS);
  const { zoomRange = 0, horizontalFlip = false, wholePixels = false } = augmentation;
  for (const name of ['widthShiftRange', 'heightShiftRange', 'zoomRange', 'rotationRange'] as const) {
    const value = augmentation[name] ?? 0;
    if (!Number.isFinite(value) || value < 0) {
      throw rangeError(operation, name, 'a finite number, 0 or more', value);
    }
  }
  if (zoomRange >= 1) throw rangeError(operation, 'zoomRange', 'a fraction below 1', zoomRange);
  if (typeof horizontalFlip !== 'boolean') {
    throw rangeError(operation, 'horizontalFlip', 'true or false', horizontalFlip);
  }
  if (typeof wholePixels !== 'boolean') {
    throw rangeError(operation, 'wholePixels', 'true or false', wholePixels);
  }
}

/** The random numbers of one sample, in the units in which they act. */
export interface RandomTransform {
  /** Radians. */
  readonly theta: number;
  /** Pixels. */
  readonly shiftX: number;
  readonly shiftY: number;
  /** Factors. */
  readonly zoomX: number;
  readonly zoomY: number;
  readonly flip: boolean;
}

/**
 * Draws the transform of the image [height, width] that is sample `sample` of its data set, in epoch (or step)
 * `epoch`. Ranges are not checked here (`checkAugmentation` does).
 */
export function drawTransform(
  augmentation: Augmentation,
  key: StreamKey,
  epoch: number,
  sample: number,
  height: number,
  width: number,
): RandomTransform {
  const drawn = { theta: 0, shiftX: 0, shiftY: 0, zoomX: 1, zoomY: 1, flip: false };
  drawInto(drawn, augmentation, key, epoch, sample, height, width);
  return drawn;
}

/** Draws into an object: for each sample of each step, so nothing is made anew. */
function drawInto(
  drawn: { -readonly [name in keyof RandomTransform]: RandomTransform[name] },
  augmentation: Augmentation,
  key: StreamKey,
  epoch: number,
  sample: number,
  height: number,
  width: number,
): void {
  const low = epoch >>> 0;
  const high = Math.floor(epoch / 4294967296) >>> 0;
  for (let parameter = 0; parameter < draws.length; parameter++) {
    writeUniform(draws, parameter, key, parameter, sample, low, high);
  }
  const { widthShiftRange = 0, heightShiftRange = 0, zoomRange = 0, rotationRange = 0 } = augmentation;
  drawn.theta = symmetric(rotationRange, ADDRESS.rotation) * RADIANS_PER_DEGREE;
  const shift = augmentation.wholePixels ? wholeNumber : symmetric;
  drawn.shiftX = shift(shiftPixels(widthShiftRange, width), ADDRESS.shiftX);
  drawn.shiftY = shift(shiftPixels(heightShiftRange, height), ADDRESS.shiftY);
  drawn.zoomX = 1 + symmetric(zoomRange, ADDRESS.zoomX);
  drawn.zoomY = 1 + symmetric(zoomRange, ADDRESS.zoomY);
  drawn.flip = augmentation.horizontalFlip === true && draws[ADDRESS.flip]! < 0.5;
}

/** Uniform in [-range, range), from the sample's draws. */
function symmetric(range: number, parameter: number): number {
  return range === 0 ? 0 : range * (2 * draws[parameter]! - 1);
}

/** Of the whole numbers from -range to range one, each as likely, from the sample's draws. */
function wholeNumber(range: number, parameter: number): number {
  const most = Math.floor(range);
  return Math.floor(draws[parameter]! * (2 * most + 1)) - most;
}

/**
 * Writes the affine map of a transform of images [height, width] to out[at .. at+5], row by row, so that
 *
 *   sourceX = m0*x + m1*y + m2,   sourceY = m3*x + m4*y + m5.
 *
 * Computed in f64, each entry rounded to f32 once.
 */
export function writeAffine(
  transform: RandomTransform,
  height: number,
  width: number,
  out: Float32Array,
  at: number,
): void {
  const { shiftX, shiftY, zoomX, zoomY, flip } = transform;
  const cosine = cos(transform.theta);
  const sine = sin(transform.theta);
  const centreX = width / 2 - 0.5;
  const centreY = height / 2 - 0.5;
  const xx = cosine * zoomX;
  // `0 -` instead of a sign keeps -0 out of the identity.
  const xy = 0 - sine * zoomY;
  const yx = sine * zoomX;
  const yy = cosine * zoomY;
  const x0 = centreX + (cosine * shiftX - sine * shiftY) - (xx * centreX + xy * centreY);
  const y0 = centreY + (sine * shiftX + cosine * shiftY) - (yx * centreX + yy * centreY);
  // Mirrored: x becomes (width-1) - x before the map.
  out[at] = flip ? 0 - xx : xx;
  out[at + 1] = xy;
  out[at + 2] = flip ? x0 + xx * (width - 1) : x0;
  out[at + 3] = flip ? 0 - yx : yx;
  out[at + 4] = yy;
  out[at + 5] = flip ? y0 + yx * (width - 1) : y0;
}

/** One uniform number a parameter. */
const draws = new Float64Array(6);
const scratch = { theta: 0, shiftX: 0, shiftY: 0, zoomX: 1, zoomY: 1, flip: false };

/** Draws a sample's transform and writes its map: `drawTransform`, then `writeAffine`. */
export function affineMatrix(
  augmentation: Augmentation,
  key: StreamKey,
  epoch: number,
  sample: number,
  height: number,
  width: number,
  out: Float32Array,
  at: number,
): void {
  drawInto(scratch, augmentation, key, epoch, sample, height, width);
  writeAffine(scratch, height, width, out, at);
}

/** The range of a shift in pixels. */
function shiftPixels(range: number, extent: number): number {
  return range < 1 ? range * extent : range;
}

function rangeError(operation: string, argument: string, expected: string, received: unknown): ConfigError {
  return new ConfigError({ operation, argument, expected, received: String(received) });
}
