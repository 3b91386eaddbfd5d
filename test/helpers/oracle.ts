/**
 * The oracle of 2-D convolution: the definitions, in naive loops over plain f64 numbers. Nobody
 * optimises it. Images are plain NHWC arrays without halo, weights HWIO.
 *
 * Each function follows its own definition: the two gradients scatter along the sum that the forward
 * pass writes (d out / d in), they do not gather as the kernels do.
 *
 * S, the sum of magnitudes in an error bound, is the same function on `absolute` values.
 */
import type { ConvGeometry } from '../../src/tensor/convolution.ts';

/** Anything indexed like an array of numbers. */
export type Values = ArrayLike<number>;

/** |v| of every value. */
export function absolute(values: Values): Float64Array {
  return Float64Array.from(values, Math.abs);
}

/** The fused ReLU, which keeps NaN and -0 (Math.max(-0, 0) is +0). */
export function relu(values: Float32Array): Float32Array {
  return values.map((value) => {
    if (value < 0) return 0;
    return value;
  });
}

/** Sum of products, in f64. */
export function dot(a: Values, b: Values): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** One product of the forward sum: output element += input element (or a padding zero) * weight element. */
type Visit = (output: number, input: number | undefined, weight: number) => void;

/**
 * Walks all products of a convolution of `count` images; `input` is undefined on the padding. With `flip`
 * tap (ky, kx) reads weight[kh-1-ky, kw-1-kx].
 */
function forEachProduct(g: ConvGeometry, count: number, flip: boolean, visit: Visit): void {
  const inner = g.inChannels / g.groups;
  const perGroup = g.outChannels / g.groups;
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++) {
        for (let k = 0; k < g.outChannels; k++) {
          const output = ((n * g.outHeight + oy) * g.outWidth + ox) * g.outChannels + k;
          for (let ky = 0; ky < g.kernelHeight; ky++) {
            for (let kx = 0; kx < g.kernelWidth; kx++) {
              const y = oy * g.strideY + ky * g.dilationY - g.padding.top;
              const x = ox * g.strideX + kx * g.dilationX - g.padding.left;
              const inside = y >= 0 && y < g.inHeight && x >= 0 && x < g.inWidth;
              const wy = flip ? g.kernelHeight - 1 - ky : ky;
              const wx = flip ? g.kernelWidth - 1 - kx : kx;
              for (let c = 0; c < inner; c++) {
                const channel = Math.floor(k / perGroup) * inner + c;
                const input = ((n * g.inHeight + y) * g.inWidth + x) * g.inChannels + channel;
                const weight = ((wy * g.kernelWidth + wx) * inner + c) * g.outChannels + k;
                visit(output, inside ? input : undefined, weight);
              }
            }
          }
        }
      }
    }
  }
}

/** What a caller may add to a convolution. */
export interface OracleOptions {
  /** [K] (transposed convolution: [C]). */
  readonly bias?: Values | undefined;
  /** A true convolution: the weights are read rotated by 180 degrees. */
  readonly flip?: boolean | undefined;
}

/** Output [count, Ho, Wo, K]. Padding is multiplied like other taps: 0 * Infinity is NaN. */
export function convForward(
  g: ConvGeometry,
  input: Values,
  weight: Values,
  count: number,
  { bias, flip = false }: OracleOptions = {},
): Float64Array {
  const length = count * g.outHeight * g.outWidth * g.outChannels;
  const output = Float64Array.from({ length }, (_, i) => bias?.[i % g.outChannels] ?? 0);
  forEachProduct(g, count, flip, (o, i, w) => {
    output[o]! += (i === undefined ? 0 : input[i]!) * weight[w]!;
  });
  return output;
}

/** The same walk with every product and every sum rounded to f32: from the bias over ky, kx, c ascending. */
export function convForwardRounded(
  g: ConvGeometry,
  input: Values,
  weight: Values,
  count: number,
  { bias, flip = false }: OracleOptions = {},
): Float32Array {
  const length = count * g.outHeight * g.outWidth * g.outChannels;
  const output = Float32Array.from({ length }, (_, i) => bias?.[i % g.outChannels] ?? 0);
  forEachProduct(g, count, flip, (o, i, w) => {
    output[o] = output[o]! + Math.fround((i === undefined ? 0 : input[i]!) * weight[w]!);
  });
  return output;
}

/** Gradient of the input, [count, H, W, C]: every product sends gradOutput * weight back to its input. */
export function convInputGradient(
  g: ConvGeometry,
  gradOutput: Values,
  weight: Values,
  count: number,
  { bias, flip = false }: OracleOptions = {},
): Float64Array {
  const length = count * g.inHeight * g.inWidth * g.inChannels;
  const gradInput = Float64Array.from({ length }, (_, i) => bias?.[i % g.inChannels] ?? 0);
  forEachProduct(g, count, flip, (o, i, w) => {
    if (i !== undefined) gradInput[i]! += gradOutput[o]! * weight[w]!;
  });
  return gradInput;
}

/** Gradient of the weights, HWIO: every product sends gradOutput * input (or a padding zero) to its weight. */
export function convWeightGradient(
  g: ConvGeometry,
  input: Values,
  gradOutput: Values,
  count: number,
  { flip = false }: OracleOptions = {},
): Float64Array {
  const gradWeight = new Float64Array(
    g.kernelHeight * g.kernelWidth * (g.inChannels / g.groups) * g.outChannels,
  );
  forEachProduct(g, count, flip, (o, i, w) => {
    gradWeight[w]! += gradOutput[o]! * (i === undefined ? 0 : input[i]!);
  });
  return gradWeight;
}

/** Sums [channels] over all pixels of all images: the gradient of a bias. */
export function channelSums(values: Values, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) sums[i % channels]! += values[i]!;
  return sums;
}

/** A transposed convolution as users describe it: [H, W, C] to [H', W', F]. */
export interface TransposedOptions {
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly filters: number;
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: ConvGeometry['padding'];
  /** Rows and columns added at the bottom and right. */
  readonly outputPadding: readonly [number, number];
  readonly groups: number;
}

/** Output extents of a transposed convolution: (i-1)*s - p0 - p1 + d(k-1) + 1 + outputPadding. */
export function transposedExtents(o: TransposedOptions): readonly [number, number] {
  const extent = (axis: 0 | 1, input: number, padding: number) =>
    (input - 1) * o.strides[axis] -
    padding +
    o.dilation[axis] * (o.kernelSize[axis] - 1) +
    1 +
    o.outputPadding[axis];
  const { top, right, bottom, left } = o.padding;
  return [extent(0, o.inHeight, top + bottom), extent(1, o.inWidth, left + right)];
}

/**
 * Transposed convolution: each input pixel lays its weights, scaled, over the output, `strides` apart, and
 * overlaps add (the seed's eq. 2.9). Weights [kh, kw, F/groups, C] as in Keras: the HWIO weights of the
 * convolution whose adjoint this is.
 */
export function convTransposed(
  o: TransposedOptions,
  input: Values,
  weight: Values,
  count: number,
): Float64Array {
  const [height, width] = transposedExtents(o);
  const [filters, channels] = [o.filters / o.groups, o.inChannels / o.groups];
  const output = new Float64Array(count * height * width * o.filters);
  for (let i = 0; i < count * o.inHeight * o.inWidth * o.inChannels; i++) {
    const c = i % o.inChannels;
    const x = Math.floor(i / o.inChannels) % o.inWidth;
    const y = Math.floor(i / o.inChannels / o.inWidth) % o.inHeight;
    const n = Math.floor(i / o.inChannels / o.inWidth / o.inHeight);
    for (let ky = 0; ky < o.kernelSize[0]; ky++) {
      for (let kx = 0; kx < o.kernelSize[1]; kx++) {
        const oy = y * o.strides[0] + ky * o.dilation[0] - o.padding.top;
        const ox = x * o.strides[1] + kx * o.dilation[1] - o.padding.left;
        if (oy < 0 || oy >= height || ox < 0 || ox >= width) continue;
        for (let k = 0; k < filters; k++) {
          const filter = Math.floor(c / channels) * filters + k;
          const w = ((ky * o.kernelSize[1] + kx) * filters + k) * o.inChannels + c;
          output[((n * height + oy) * width + ox) * o.filters + filter]! += input[i]! * weight[w]!;
        }
      }
    }
  }
  return output;
}
