/** The oracles of layers that move or blend pixels: padding, cropping, resizing, pooling to a size. */
import type { Padding } from '../../src/tensor/convolution.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { type LinearMap, linearMapOracle, type Term } from './conformance-linear.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';

type Index = readonly [y: number, x: number, c: number];

/** The map whose output element (y, x, c) is made of `terms`, given as places in the input. */
function mapOfPixels(
  { inputShape, outputShape }: LayerProblem,
  terms: (...at: Index) => readonly (readonly [at: Index, factor: number])[],
): LinearMap {
  const [height, width, channels] = inputShape as [number, number, number];
  const [, outWidth, outChannels] = outputShape as [number, number, number];
  return Array.from({ length: elementCount(outputShape) }, (_, i) => {
    const pixel = Math.floor(i / outChannels);
    const inside = ([[y, x]]: readonly [Index, number]) => y >= 0 && y < height && x >= 0 && x < width;
    return terms(Math.floor(pixel / outWidth), pixel % outWidth, i % outChannels)
      .filter(inside)
      .map(([[y, x, c], factor]): Term => [(y * width + x) * channels + c, factor]);
  });
}

/** Each output pixel is an input pixel, or nothing where that lies outside of the image. */
function movedPixels(from: (config: never, y: number, x: number, input: Shape) => readonly [number, number]) {
  return linearMapOracle((problem) =>
    mapOfPixels(problem, (y, x, c) => [
      [[...from(problem.config as never, y, x, problem.inputShape), c] as Index, 1],
    ]),
  );
}

const zeroPaddingOracle = movedPixels(({ padding }: { padding: Padding }, y, x) => [
  y - padding.top,
  x - padding.left,
]);

const croppingOracle = movedPixels(({ cropping }: { cropping: Padding }, y, x) => [
  y + cropping.top,
  x + cropping.left,
]);

/** Mirrored at the border, which is not repeated. */
const reflectionPaddingOracle = movedPixels(({ padding }: { padding: Padding }, y, x, [height, width]) => {
  const fold = (at: number, extent: number) => (at < 0 ? -at : at < extent ? at : 2 * (extent - 1) - at);
  return [fold(y - padding.top, height!), fold(x - padding.left, width!)];
});

type UpSampling = { readonly size: readonly [number, number]; readonly interpolation: string };

const nearestOracle = movedPixels(({ size }: UpSampling, y, x) => [
  Math.floor(y / size[0]),
  Math.floor(x / size[1]),
]);

/** The inputs around an output position of half-pixel centres, and their weights; at a border all weight on one. */
function around(
  at: number,
  size: number,
  extent: number,
): readonly (readonly [at: number, weight: number])[] {
  const place = Math.min(extent - 1, Math.max(0, (at + 0.5) / size - 0.5));
  const below = Math.floor(place);
  const share = place - below;
  return share === 0
    ? [[below, 1]]
    : [
        [below, 1 - share],
        [below + 1, share],
      ];
}

/**
 * Along an axis a value meets the rounding of its factor, that of its product, and the sum of two. Back, an input
 * element of k_y k_x terms is a sum of k_y sums of k_x products: (k_y - 1) + (k_x - 1) + 4 <= k_y k_x + 3 roundings.
 */
const bilinearOracle = linearMapOracle(
  (problem) => {
    const { size } = problem.config as UpSampling;
    const [height, width] = problem.inputShape as [number, number];
    return mapOfPixels(problem, (y, x, c) =>
      around(y, size[0], height).flatMap(([row, a]) =>
        around(x, size[1], width).map(([column, b]) => [[row, column, c] as Index, a * b] as const),
      ),
    );
  },
  {
    // Thirds are rounded; halves and quarters of multiples of 64 are not.
    unit: ({ config }) => ((config as UpSampling).size.includes(3) ? undefined : 64),
    roundings: (terms) => (terms === 1 ? 0 : terms === 2 ? 3 : 6),
    roundingsBack: (terms) => (terms === 1 ? 0 : terms + 3),
  },
);

const upSamplingOracle: LayerOracle = {
  exactUnit: (problem) => upSamplingFor(problem).exactUnit!(problem),
  forward: (problem) => upSamplingFor(problem).forward(problem),
  backward: (problem, gradOutput) => upSamplingFor(problem).backward(problem, gradOutput),
};

function upSamplingFor({ config }: LayerProblem): LayerOracle {
  return (config as UpSampling).interpolation === 'nearest' ? nearestOracle : bilinearOracle;
}

/** Inputs of output `at` of `outputs` along an axis. */
function adaptiveWindow(at: number, outputs: number, extent: number): readonly number[] {
  const [from, to] = [Math.floor((at * extent) / outputs), Math.ceil(((at + 1) * extent) / outputs)];
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** A mean of n: n - 1 sums and a division. A gradient of n terms: a division and n - 1 sums. */
const adaptivePoolingOracle = linearMapOracle(
  (problem) => {
    const [height, width] = problem.inputShape as [number, number];
    const [outHeight, outWidth] = problem.outputShape as [number, number];
    return mapOfPixels(problem, (y, x, c) => {
      const rows = adaptiveWindow(y, outHeight, height);
      const columns = adaptiveWindow(x, outWidth, width);
      const share = 1 / (rows.length * columns.length);
      return rows.flatMap((row) => columns.map((column) => [[row, column, c] as Index, share] as const));
    });
  },
  // Divisible by every number of pixels in a window of up to 6 x 6, products of two of 1 to 6.
  { unit: () => 3600, roundings: (terms) => terms },
);

/** Output element (i, j, k) is the input's whose index along axis dims[0] is i, and so on. */
const permuteOracle = linearMapOracle(({ config, inputShape, outputShape }) => {
  const { dims } = config as { dims: readonly number[] };
  return Array.from({ length: elementCount(outputShape) }, (_, at): Term[] => {
    const index: number[] = [];
    let rest = at;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[dims[axis]! - 1] = rest % outputShape[axis]!;
      rest = Math.floor(rest / outputShape[axis]!);
    }
    return [[inputShape.reduce((place, extent, axis) => place * extent + index[axis]!, 0), 1]];
  });
});

const reshapeOracle = linearMapOracle(({ inputShape }) =>
  Array.from({ length: elementCount(inputShape) }, (_, i): Term[] => [[i, 1]]),
);

const sliceChannelsOracle = linearMapOracle(({ config, inputShape, outputShape }) => {
  const { start } = config as { start: number };
  const [channels, taken] = [inputShape.at(-1)!, outputShape.at(-1)!];
  return Array.from({ length: elementCount(outputShape) }, (_, i): Term[] => [
    [Math.floor(i / taken) * channels + start + (i % taken), 1],
  ]);
});

export const spatialOracles: Readonly<Record<string, LayerOracle>> = {
  adaptiveAveragePooling2d: adaptivePoolingOracle,
  cropping2d: croppingOracle,
  permute: permuteOracle,
  reflectionPadding2d: reflectionPaddingOracle,
  reshape: reshapeOracle,
  sliceChannels: sliceChannelsOracle,
  upSampling2d: upSamplingOracle,
  zeroPadding2d: zeroPaddingOracle,
};
