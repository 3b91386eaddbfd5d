/**
 * A stand-in for CIFAR-10 that needs no download: ten classes of drawn shapes and textures, 32x32 RGB bytes
 * [size, 32, 32, 3]. Place, size, turn, stretch, colours, background, clutter, an occluding bar, lighting and
 * noise are random; colour says nothing of the class. Sample i has label i mod 10.
 *
 * Every pixel is a pure function of (seed, split, index), in f64 arithmetic and our own sine, so that the same
 * images are drawn everywhere. Costs about 60 microseconds an image. The notebook's network names 22% of the
 * validation images right after one epoch over 9,000 augmented images, 90% after four (seed 21, measured). With
 * stronger colours, noise or clutter it never left the plateau of guessing; with these, one seed in four did not.
 */
import { ConfigError } from '../errors.ts';
import { randomWord, type StreamKey, streamKey, uniform } from '../math/random.ts';
import { cos, sin } from '../math/trigonometry.ts';
import type { Shape } from '../tensor/shape.ts';
import { arrayDataset } from './array-dataset.ts';
import type { Dataset, Normalization } from './dataset.ts';
import { type ShapeVariation, SYNTHETIC_SHAPES } from './synthetic-shapes.ts';

/** Options of `syntheticImages`. */
export interface SyntheticOptions {
  /** Number of images; 10,000 for training and 2,000 for testing make a set of sensible size. */
  readonly size: number;
  readonly seed: number;
  /** Different splits share no image. */
  readonly split: 'train' | 'test';
  /** Default: none. */
  readonly normalization?: Normalization;
}

/** One image, [H, W, C]. */
const SYNTHETIC_SHAPE: Shape = [32, 32, 3];
/** The classes' names by label. */
export const SYNTHETIC_CLASSES: readonly string[] = SYNTHETIC_SHAPES.map((shape) => shape.name);

const SIDE = 32;
const IMAGE_BYTES = SIDE * SIDE * 3;
const MIDDLE = (SIDE - 1) / 2;
const TWO_PI = 6.283185307179586;

/** The set as a data set, drawn at once into shared memory; throws ConfigError for a senseless size. */
export function syntheticImages(options: SyntheticOptions): Dataset {
  const { pixels, labels } = drawSyntheticImages(options);
  return arrayDataset({
    inputs: pixels,
    inputShape: SYNTHETIC_SHAPE,
    targets: labels,
    classNames: SYNTHETIC_CLASSES,
    ...(options.normalization && { normalization: options.normalization }),
  });
}

/** The set's pixels [size, 32, 32, 3] and labels [size], in shared memory. */
export function drawSyntheticImages(options: SyntheticOptions): { pixels: Uint8Array; labels: Int32Array } {
  const { pixels, labels, draw } = blankSyntheticImages(options);
  for (let index = 0; index < options.size; index++) draw(index);
  return { pixels, labels };
}

/** The same with all images black until they are drawn, for who needs a few of them. */
export function blankSyntheticImages({ size, seed, split }: SyntheticOptions): {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  draw(index: number): void;
} {
  if (!Number.isInteger(size) || size < 0 || size > 1_000_000) {
    throw new ConfigError({
      operation: 'syntheticImages',
      argument: 'size',
      expected: 'a whole number of images up to 1000000',
      received: String(size),
    });
  }
  const key = streamKey(seed, 'synthetic', split);
  const pixels = new Uint8Array(new SharedArrayBuffer(size * IMAGE_BYTES));
  const labels = new Int32Array(new SharedArrayBuffer(size * 4));
  for (let index = 0; index < size; index++) labels[index] = index % SYNTHETIC_SHAPES.length;
  const canvas = new Float64Array(IMAGE_BYTES);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  const draw = (index: number) => {
    drawImage(canvas, key, index);
    develop(canvas, key, index, bytes, index * IMAGE_BYTES);
  };
  return { pixels, labels, draw };
}

/** Random numbers of one image in the order in which its drawing asks for them. */
interface Draw {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
}

type Colour = readonly [number, number, number];

/** A figure's distance at a point in its own frame, in units of its radius. */
type Distance = (u: number, v: number) => number;

interface Figure {
  readonly distance: Distance;
  readonly centreX: number;
  readonly centreY: number;
  /** Half its extent along its own axes, in pixels. */
  readonly radiusU: number;
  readonly radiusV: number;
  readonly angle: number;
  /** The colour at its middle, and its change from there to the edge along u. */
  readonly colour: Colour;
  readonly shade: number;
}

/** Word 0 of address index 0 is the noise's; the drawing's numbers begin at 1. */
const NOISE_ADDRESS = 0;

function drawOf(key: StreamKey, index: number): Draw {
  let address = NOISE_ADDRESS;
  const next = () => uniform(key, ++address, index);
  return { next, between: (low, high) => low + (high - low) * next() };
}

function drawImage(canvas: Float64Array, key: StreamKey, index: number): void {
  const draw = drawOf(key, index);
  const shape = SYNTHETIC_SHAPES[index % SYNTHETIC_SHAPES.length]!;
  const ground = randomColour(draw);
  paintGround(canvas, draw, ground);
  paint(canvas, clutter(draw));
  const variation: ShapeVariation = { thickness: draw.next(), pattern: draw.next(), phase: draw.next() };
  const radius = draw.between(7.5, 12.5);
  const stretch = draw.between(0.83, 1.2);
  const margin = 0.85 * radius;
  const main: Figure = {
    distance: (u, v) => shape.distance(u, v, variation),
    centreX: draw.between(margin, SIDE - 1 - margin),
    centreY: draw.between(margin, SIDE - 1 - margin),
    radiusU: radius * stretch,
    radiusV: radius / stretch,
    angle: TWO_PI * draw.between(-0.12, 0.12),
    colour: contrastingColour(draw, ground),
    shade: draw.between(-45, 45),
  };
  paint(canvas, main);
  if (draw.next() < 0.2) paint(canvas, occluder(draw, main));
}

/** A grey of any lightness with a tint. */
function randomColour(draw: Draw): Colour {
  const level = draw.between(40, 215);
  const tint = () => level + draw.between(-30, 30);
  return [tint(), tint(), tint()];
}

/** A colour of any hue whose mean differs from the ground's by 80 to 140 of 255. */
function contrastingColour(draw: Draw, ground: Colour): Colour {
  const colour = randomColour(draw);
  const mean = (ground[0] + ground[1] + ground[2]) / 3;
  const step = draw.between(80, 140);
  const up = mean < 75 || (mean < 180 && draw.next() < 0.5);
  const lift = mean + (up ? step : -step) - (colour[0] + colour[1] + colour[2]) / 3;
  return [colour[0] + lift, colour[1] + lift, colour[2] + lift];
}

/** A gradient, and on some images faint bands across it, so that bands alone do not mean 'stripes'. */
function paintGround(canvas: Float64Array, draw: Draw, ground: Colour): void {
  const slope = () => draw.between(-1, 1);
  const [redX, greenX, blueX, redY, greenY, blueY] = [slope(), slope(), slope(), slope(), slope(), slope()];
  const angle = TWO_PI * draw.next();
  const period = draw.between(4, 12);
  const strength = draw.next() < 0.3 ? draw.between(4, 12) : 0;
  const alongX = cos(angle) / period;
  const alongY = sin(angle) / period;
  for (let y = 0, at = 0; y < SIDE; y++) {
    const dy = y - MIDDLE;
    for (let x = 0; x < SIDE; x++, at += 3) {
      const dx = x - MIDDLE;
      const t = x * alongX + y * alongY;
      const band = strength * (4 * Math.abs(t - Math.floor(t) - 0.5) - 1);
      canvas[at] = ground[0] + band + dx * redX + dy * redY;
      canvas[at + 1] = ground[1] + band + dx * greenX + dy * greenY;
      canvas[at + 2] = ground[2] + band + dx * blueX + dy * blueY;
    }
  }
}

/** A small ellipse, box or stroke of any colour. */
function clutter(draw: Draw): Figure {
  const round = draw.next() < 0.5;
  return {
    distance: round ? ellipse : box,
    centreX: draw.between(0, SIDE),
    centreY: draw.between(0, SIDE),
    radiusU: draw.between(2, 7),
    radiusV: draw.between(0.8, 3),
    angle: TWO_PI * draw.next(),
    colour: randomColour(draw),
    shade: draw.between(-30, 30),
  };
}

/** A long bar that covers a part of the figure, off its middle. */
function occluder(draw: Draw, figure: Figure): Figure {
  const angle = TWO_PI * draw.next();
  const away = draw.between(-0.7, 0.7) * figure.radiusU;
  return {
    distance: box,
    centreX: figure.centreX - sin(angle) * away,
    centreY: figure.centreY + cos(angle) * away,
    radiusU: draw.between(8, 24),
    radiusV: draw.between(1, 2.8),
    angle,
    colour: randomColour(draw),
    shade: 0,
  };
}

const ellipse: Distance = (u, v) => Math.sqrt(u * u + v * v) - 1;
const box: Distance = (u, v) => Math.max(Math.abs(u), Math.abs(v)) - 1;

/** Blends a figure into the canvas, its edge softened over a pixel. */
function paint(canvas: Float64Array, figure: Figure): void {
  const { distance, centreX, centreY, radiusU, radiusV, colour, shade } = figure;
  const cosine = cos(figure.angle);
  const sine = sin(figure.angle);
  const reachX = Math.abs(cosine) * radiusU + Math.abs(sine) * radiusV + 1;
  const reachY = Math.abs(sine) * radiusU + Math.abs(cosine) * radiusV + 1;
  const right = Math.min(SIDE - 1, Math.ceil(centreX + reachX));
  const bottom = Math.min(SIDE - 1, Math.ceil(centreY + reachY));
  const pixels = Math.min(radiusU, radiusV);
  for (let y = Math.max(0, Math.floor(centreY - reachY)); y <= bottom; y++) {
    for (let x = Math.max(0, Math.floor(centreX - reachX)); x <= right; x++) {
      const u = (cosine * (x - centreX) + sine * (y - centreY)) / radiusU;
      const v = (cosine * (y - centreY) - sine * (x - centreX)) / radiusV;
      const cover = Math.min(1, Math.max(0, 0.5 - distance(u, v) * pixels));
      if (cover === 0) continue;
      const at = (y * SIDE + x) * 3;
      for (let c = 0; c < 3; c++) {
        const old = canvas[at + c]!;
        canvas[at + c] = old + cover * (colour[c]! + shade * u - old);
      }
    }
  }
}

/**
 * Adds noise, a sum of two uniform bytes of random strength, to each channel. Storing rounds (half to even)
 * and clamps to a byte, as ECMAScript defines for a Uint8ClampedArray.
 */
function develop(
  canvas: Float64Array,
  key: StreamKey,
  index: number,
  out: Uint8ClampedArray,
  at: number,
): void {
  const word = randomWord(key, NOISE_ADDRESS, index);
  const strength = (5 + (word & 15)) / 180;
  for (let i = 0; i < IMAGE_BYTES; i += 2) {
    const bits = scramble(word + i);
    out[at + i] = canvas[i]! + strength * ((bits & 255) + ((bits >>> 8) & 255) - 255);
    out[at + i + 1] = canvas[i + 1]! + strength * (((bits >>> 16) & 255) + (bits >>> 24) - 255);
  }
}

/** Mixes 32 bits (the finaliser of MurmurHash3, Appleby): enough for noise, a tenth of Philox' cost. */
function scramble(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
